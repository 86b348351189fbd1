"""The files that a page is made of, kept in memory once they have been sent.

A page of Streamlit is more than a hundred files; a browser that never was here asks for them all,
and the server would open and read each anew, in threads, while the reader waits. Their names hold
a digest of their content: what was sent once is true as long as the server runs.
"""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/static/"
CONDITIONAL = (b"if-", b"range")
"""Headers that ask for less than the whole file: the server within knows how."""
OWN_TO_ONE = {b"set-cookie", b"content-encoding"}
"""Headers of an answer that another browser may not be given, or could not read."""
MOST_BYTES = 32 * 2**20
"""All files of Streamlit 1.67 together have 24 MB, those of our pages 5."""


class StaticCache:
    """Sends a file from memory that the server within has sent before."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the server within does, or did."""
        if not _asks_for_whole_file(scope):
            await self._app(scope, receive, send)
        elif kept := self._kept.get(scope["path"]):
            start, body = kept
            await send(_own_copy(start))
            await send({"type": "http.response.body", "body": body})
        else:
            await self._keep(scope, receive, send)

    async def _keep(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the server within answers, and remember it if it is whole and for everybody."""
        start: Message = {}
        body, is_whole = b"", False

        async def send_and_note(message: Message) -> None:
            nonlocal start, body, is_whole
            if message["type"] == "http.response.start":
                start = _own_copy(message)
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
                is_whole = not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive, send_and_note)
        held = sum(len(other) for _, other in self._kept.values())
        if is_whole and _is_for_everybody(start) and held + len(body) <= MOST_BYTES:
            self._kept[scope["path"]] = start, body


def _own_copy(start: Message) -> Message:
    """Copy the beginning of an answer: whoever sends it on may add headers to it."""
    return {**start, "headers": list(start["headers"])}


def _is_for_everybody(start: Message) -> bool:
    is_personal = any(name.lower() in OWN_TO_ONE for name, _ in start["headers"])
    return bool(start["status"] == HTTPStatus.OK) and not is_personal


def _asks_for_whole_file(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("query_string"):
        return False
    conditional = any(name.startswith(CONDITIONAL) for name, _ in scope["headers"])
    return str(scope["path"]).startswith(FOLDER) and not conditional
