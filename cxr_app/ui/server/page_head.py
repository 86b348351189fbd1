"""What every page has in its head beside Streamlit's own: theme, touches, the parts it needs."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxr_app.ui.server import preload

COMPONENTS = Path(__file__).parent.parent / "components"
SCRIPTS = "\n".join(
    (COMPONENTS / name).read_text(encoding="utf-8")
    for name in ("theme_switch/first_theme.js", "last_input.js")
)
HEAD, END = b"<head>", b"</head>"


class PageHead:
    """Puts into the head of every page its first scripts, and which parts it will need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._first = HEAD + f"<script>\n{SCRIPTS}</script>".encode()
        self._last = preload.announcement().encode() + END

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the server within does; a page is held back until it is whole."""
        start: Message | None = None
        page = b""

        async def send_with_head(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None:
                await send(message)
            else:
                page += message.get("body", b"")
                if not message.get("more_body", False):
                    await _send_page(start, self._with_head(page), send)

        await self._app(_uncompressed(scope), receive, send_with_head)

    def _with_head(self, page: bytes) -> bytes:
        """Write into the head: our scripts before all else, the parts after Streamlit's own."""
        return page.replace(HEAD, self._first, 1).replace(END, self._last, 1)


def _uncompressed(scope: Scope) -> Scope:
    """Ask for a page as it is: a compressed one could not be written in."""
    headers = scope.get("headers", [])
    if not any(name == b"accept" and b"text/html" in value for name, value in headers):
        return scope
    return {**scope, "headers": [each for each in headers if each[0] != b"accept-encoding"]}


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_html = headers.get("content-type", "").startswith("text/html")
    return is_html and start["status"] == 200 and "content-encoding" not in headers


async def _send_page(start: Message, page: bytes, send: Send) -> None:
    """Send the page under headers that are true of it."""
    headers = MutableHeaders(scope=start)
    headers["content-length"] = str(len(page))
    for name in ("etag", "last-modified"):  # of the file as Streamlit has it
        if name in headers:
            del headers[name]
    await send(start)
    await send({"type": "http.response.body", "body": page})
