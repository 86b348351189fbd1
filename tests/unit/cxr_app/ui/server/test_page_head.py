"""Every page has its theme and its parts in its head, and no other answer is touched."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server.page_head import SCRIPTS, PageHead
from cxr_app.ui.server.preload import links

PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body><head></body></html>"


def answer(
    parts: list[bytes], status: int = 200, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """What leaves the server for an answer of these parts."""
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        given = [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": status, "headers": given})
        for number, part in enumerate(parts, 1):
            more = number < len(parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(PageHead(inner)({"type": "http"}, receive, send))
    headers_sent = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers_sent, b"".join(each.get("body", b"") for each in sent[1:])


@pytest.mark.parametrize("cut", [0, 3, 20, len(PAGE)])
def test_a_page_gets_theme_and_parts_once_and_a_true_length(cut: int) -> None:
    status, headers, body = answer(
        [PAGE[:cut], PAGE[cut:]],
        content_type="text/html; charset=utf-8",
        content_length=str(len(PAGE)),
        etag="x",
    )
    assert status == 200
    assert body.count(SCRIPTS.encode()) == 1
    assert body.index(SCRIPTS.encode()) < body.index(b"<title>")
    parts = links().encode()
    assert body.count(parts) == 1
    assert body.index(b"<title>") < body.index(parts) < body.index(b"</head>")
    assert headers["content-length"] == str(len(body))
    assert "etag" not in headers


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"content_type": "text/javascript"}),
        (200, {"content_type": "text/html", "content_encoding": "gzip"}),
        (304, {"content_type": "text/html"}),
        (200, {}),
    ],
    ids=str,
)
def test_any_other_answer_stays_as_it_is(status: int, headers: dict[str, str]) -> None:
    headers_sent = answer([PAGE[:9], PAGE[9:]], status, **headers)
    assert headers_sent == (
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        PAGE,
    )


@pytest.mark.parametrize(("accept", "kept"), [(b"text/html,*/*", False), (b"*/*", True)])
def test_only_a_page_is_requested_uncompressed(accept: bytes, kept: bool) -> None:
    scopes: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    headers = [(b"accept", accept), (b"accept-encoding", b"gzip"), (b"host", b"x")]
    asyncio.run(PageHead(inner)({"type": "http", "headers": headers}, receive, send))
    assert ((b"accept-encoding", b"gzip") in scopes[0]["headers"]) == kept
    assert (b"host", b"x") in scopes[0]["headers"]
