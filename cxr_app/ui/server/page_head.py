"""Additions to every page: theme, last input, preloaded files, and what may run in it."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxr_app.ui.server import content_security, preload

COMPONENTS = Path(__file__).parent.parent / "components"
SCRIPTS = "\n".join(
    (COMPONENTS / name).read_text(encoding="utf-8")
    for name in ("theme_switch/first_theme.js", "last_input.js", "text_fields.js")
)
HEAD, END = b"<head>", b"</head>"


class PageHead:
    """Middleware that adds scripts and preload links to the head of every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._first = HEAD + f"<script>\n{SCRIPTS}</script>".encode()
        self._last = preload.links().encode() + END

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the response on; a page is held back until it is complete."""
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
        """Insert our scripts at the start of the head and the preload links at its end."""
        return page.replace(HEAD, self._first, 1).replace(END, self._last, 1)


def _uncompressed(scope: Scope) -> Scope:
    """Request a page uncompressed, so that it can be edited."""
    headers = scope.get("headers", [])
    if not any(name == b"accept" and b"text/html" in value for name, value in headers):
        return scope
    return {**scope, "headers": [each for each in headers if each[0] != b"accept-encoding"]}


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_html = headers.get("content-type", "").startswith("text/html")
    return is_html and start["status"] == 200 and "content-encoding" not in headers


async def _send_page(start: Message, page: bytes, send: Send) -> None:
    """Send the edited page with matching headers."""
    headers = MutableHeaders(scope=start)
    headers["content-length"] = str(len(page))
    headers[content_security.HEADER] = content_security.page_policy(page)
    for name in ("etag", "last-modified"):  # they describe Streamlit's own file
        if name in headers:
            del headers[name]
    await send(start)
    await send({"type": "http.response.body", "body": page})
