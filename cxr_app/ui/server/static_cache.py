"""In-memory cache of Streamlit's static files.

A Streamlit page has more than a hundred files. A new browser requests them all, and the server
would open and read each again, in threads, while the reader waits. Their names contain a digest of
their content, so that a cached file stays valid as long as the server runs.
"""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/static/"
CONDITIONAL = (b"if-", b"range")
"""Prefixes of headers that request less than the whole file; left to Streamlit."""
NOT_SHARED = {b"set-cookie", b"content-encoding"}
"""Headers of a response that must not, or cannot, be reused for another browser."""
MAX_BYTES = 32 * 2**20
"""Size limit: all files of Streamlit 1.67 have 24 MB, those of our pages 5."""


class StaticCache:
    """Middleware that answers from memory with files sent before."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cached: dict[str, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or pass the request on."""
        if not _requests_whole_file(scope):
            await self._app(scope, receive, send)
        elif cached := self._cached.get(scope["path"]):
            start, body = cached
            await send(_copied(start))
            await send({"type": "http.response.body", "body": body})
        else:
            await self._fetch(scope, receive, send)

    async def _fetch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the response on, and cache it if it is complete and not personal."""
        start: Message = {}
        body, is_whole = b"", False

        async def send_and_record(message: Message) -> None:
            nonlocal start, body, is_whole
            if message["type"] == "http.response.start":
                start = _copied(message)
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
                is_whole = not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive, send_and_record)
        size = sum(len(other) for _, other in self._cached.values())
        if is_whole and _is_shareable(start) and size + len(body) <= MAX_BYTES:
            self._cached[scope["path"]] = start, body


def _copied(start: Message) -> Message:
    """Copy the start of a response, because outer middleware may add headers to it."""
    return {**start, "headers": list(start["headers"])}


def _is_shareable(start: Message) -> bool:
    is_personal = any(name.lower() in NOT_SHARED for name, _ in start["headers"])
    return bool(start["status"] == HTTPStatus.OK) and not is_personal


def _requests_whole_file(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("query_string"):
        return False
    conditional = any(name.startswith(CONDITIONAL) for name, _ in scope["headers"])
    return str(scope["path"]).startswith(FOLDER) and not conditional
