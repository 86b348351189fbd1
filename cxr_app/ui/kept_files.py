"""The files that a page is made of, kept in memory once they have been sent.

A page of Streamlit is more than a hundred files; a browser that never was here asks for them all,
and the server would open and read each anew, in threads, while the reader waits. Their names hold
a digest of their content: what was sent once is true as long as the server runs.
"""

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/static/"
CONDITIONAL = (b"if-", b"range")
"""Headers that ask for less than the whole file: the server within knows how."""
OWN_TO_ONE = {b"set-cookie", b"content-encoding"}
"""Headers of an answer that another browser may not be given, or could not read."""
MOST_BYTES = 32 * 2**20
"""All files of Streamlit 1.67 together have 24 MB, those of our pages 5."""


@dataclass(slots=True)
class _Answer:
    """The pieces of an answer, as they come."""

    pieces: list[Message] = field(default_factory=list)

    @property
    def is_whole_file(self) -> bool:
        """Whether it is a file, complete and the same for everybody."""
        if not self.pieces or self.pieces[-1].get("more_body", False):
            return False
        start = self.pieces[0]
        is_personal = any(name.lower() in OWN_TO_ONE for name, _ in start.get("headers", ()))
        kinds = {piece["type"] for piece in self.pieces[1:]}
        return start.get("status") == 200 and kinds == {"http.response.body"} and not is_personal

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return sum(len(piece.get("body", b"")) for piece in self.pieces)

    def joined(self) -> tuple[Message, Message]:
        """Give the answer in two messages, to be sent as often as it is asked for."""
        body = b"".join(piece.get("body", b"") for piece in self.pieces)
        return self.pieces[0], {"type": "http.response.body", "body": body}


class KeptFiles:
    """Sends a file from memory that the server within has sent before."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, tuple[Message, Message]] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the server within does, or did."""
        if not _asks_for_whole_file(scope):
            await self._app(scope, receive, send)
        elif kept := self._kept.get(scope["path"]):
            start, body = kept
            await send({**start, "headers": list(start["headers"])})
            await send(body)
        else:
            await self._keep(scope, receive, send)

    async def _keep(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the server within answers, and remember it."""
        answer = _Answer()

        async def send_and_note(message: Message) -> None:
            headers = {"headers": list(message["headers"])} if "headers" in message else {}
            answer.pieces.append({**message, **headers})  # others may add to the message itself
            await send(message)

        await self._app(scope, receive, send_and_note)
        fits = self._bytes + answer.size <= MOST_BYTES
        if answer.is_whole_file and fits and scope["path"] not in self._kept:
            self._kept[scope["path"]] = answer.joined()
            self._bytes += answer.size


def _asks_for_whole_file(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("query_string"):
        return False
    conditional = any(name.startswith(CONDITIONAL) for name, _ in scope["headers"])
    return str(scope["path"]).startswith(FOLDER) and not conditional
