"""Which theme a page has when it opens, said in the page before Streamlit's own script runs."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT = (Path(__file__).parent / "theme_switch" / "first_theme.js").read_text(encoding="utf-8")
HEAD = b"<head>"
TAG = f"<script>\n{SCRIPT}</script>".encode()


class FirstTheme:
    """Puts the script into the head of every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the server within does; a page is held back until it is whole."""
        start: Message | None = None
        page = b""

        async def send_with_script(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None:
                await send(message)
            else:
                page += message.get("body", b"")
                if not message.get("more_body", False):
                    await _send_page(start, page.replace(HEAD, HEAD + TAG, 1), send)

        await self._app(_uncompressed(scope), receive, send_with_script)


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
    for name in ("etag", "last-modified"):  # of the file without the script
        if name in headers:
            del headers[name]
    await send(start)
    await send({"type": "http.response.body", "body": page})
