"""Unknown addresses answer 404, pages and files as before."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server.unknown_addresses import UnknownAddresses


def status(path: str, base: str = "", kind: str = "text/html; charset=utf-8") -> int:
    sent: list[Message] = []

    async def page(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [], "method": "GET"}
    asyncio.run(UnknownAddresses(page, base, ["film", "audit"])(scope, receive, send))
    body = b"".join(each.get("body", b"") for each in sent[1:])
    assert (body == b"page") == (sent[0]["status"] == 200)
    return int(sent[0]["status"])


@pytest.mark.parametrize("base", ["", "/triage"])
def test_pages_are_there_and_nothing_else_is(base: str) -> None:
    for path in ("/", "/film", "/film/", "/audit", "/oauth2callback"):
        assert status(base + path, base) == 200
    for path in ("/films", "/admin", "/.env", "/film/x", "/wp-login.php"):
        assert status(base + path, base) == 404


def test_what_is_no_page_passes() -> None:
    assert status("/favicon.png", kind="image/png") == 200
