"""Every response has security headers."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server.security_headers import HEADERS, SecurityHeaders


def answer(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What leaves the server for an answer with these headers."""
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(SecurityHeaders(inner)({"type": "http"}, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_headers_are_added_to_every_answer() -> None:
    assert answer([]) == {name.lower(): value for name, value in HEADERS.items()}


def test_header_that_an_answer_has_already_stays() -> None:
    assert answer([(b"x-frame-options", b"DENY")])["x-frame-options"] == "DENY"
