"""Every response has security headers, and a page says which scripts may run in it."""

import asyncio
from base64 import b64encode
from hashlib import sha256

from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server import content_security
from cxr_app.ui.server.security_headers import HEADERS, SecurityHeaders


def answer(headers: list[tuple[bytes, bytes]], path: str = "/healthz") -> dict[str, str]:
    """What leaves the server for an answer with these headers."""
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(SecurityHeaders(inner)({"type": "http", "path": path}, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_headers_are_added_to_every_answer() -> None:
    expected = HEADERS | {content_security.HEADER: content_security.OTHERS}
    assert answer([]) == {name.lower(): value for name, value in expected.items()}


def test_a_script_of_streamlit_may_do_what_the_page_allows() -> None:
    assert content_security.HEADER.lower() not in answer([], "/static/js/index.js")


def test_a_page_names_its_own_scripts_by_their_hashes() -> None:
    page = b"<head><script>\none()</script><script type='module' src='a.js'></script>"
    page += b"<script async>two()</script></head>"
    directives = dict(each.split(" ", 1) for each in content_security.page_policy(page).split("; "))
    hashes = [each for each in directives["script-src"].split() if each.startswith("'sha256-")]
    expected = [
        f"'sha256-{b64encode(sha256(code).digest()).decode()}'" for code in (b"\none()", b"two()")
    ]
    assert hashes == expected
    assert "'unsafe-eval'" not in str(directives)
    assert "'unsafe-inline'" not in directives["script-src"]
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'self'"


def test_header_that_an_answer_has_already_stays() -> None:
    assert answer([(b"x-frame-options", b"DENY")])["x-frame-options"] == "DENY"
