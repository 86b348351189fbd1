"""Unknown addresses answer 404: Streamlit would answer each with the page."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER_HTML = ("/_stcore/", "/auth/", "/oauth2callback", "/static/", "/component/")
"""Beginnings of addresses that answer with HTML of their own."""
NOT_FOUND = "Nothing is at this address. Open the start page of this server.\n"


class UnknownAddresses:
    """Middleware that answers 404 instead of the page where no page is.

    Parameters
    ----------
    app
        What is behind.
    base
        Path under which the server is mounted; empty at the root.
    pages
        Addresses of the pages, without slashes.
    """

    def __init__(self, app: ASGIApp, base: str, pages: Collection[str]) -> None:
        self._app = app
        self._known = {f"{base}/{page}".rstrip("/") for page in ("", *pages)}
        self._others = tuple(f"{base}{start}" for start in OTHER_HTML)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the response on unless it is the page at an address that has none."""
        path = str(scope.get("path", ""))
        is_known = path.rstrip("/") in self._known or path.startswith(self._others)
        if scope["type"] != "http" or is_known:
            await self._app(scope, receive, send)
            return
        is_refused = False

        async def send_unless_page(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                is_refused = message["status"] == 200 and kind.startswith("text/html")
                if is_refused:
                    await PlainTextResponse(NOT_FOUND, 404)(scope, receive, send)
            if not is_refused:
                await send(message)

        await self._app(scope, receive, send_unless_page)
