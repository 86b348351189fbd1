"""A file is sent from memory once it has been sent, and nothing else ever is."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server import static_cache
from cxr_app.ui.server.static_cache import StaticCache

FILE = "/static/js/index.Ab12.js"


class Inner:
    """A server that counts what it is asked, and answers in two pieces."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.requests = 0
        self.status = status
        self.headers = [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        path = str(scope["path"]).encode()
        await send(
            {"type": "http.response.start", "status": self.status, "headers": [*self.headers]}
        )
        await send({"type": "http.response.body", "body": path, "more_body": True})
        await send({"type": "http.response.body", "body": b" whole", "more_body": False})


def ask(app: StaticCache, path: str = FILE, **scope: Any) -> tuple[Message, bytes]:
    """Return the response; the outer application adds a header of its own."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if "headers" in message:
            message["headers"].append((b"x-added", b"yes"))
        sent.append(message)

    requests = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    asyncio.run(app(requests | scope, receive, send))
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


def test_a_file_is_read_once_and_sent_alike_each_time() -> None:
    inner = Inner(etag="x", content_type="text/javascript")
    app = StaticCache(inner)
    answers = [ask(app) for _ in range(3)]
    assert inner.requests == 1
    assert answers[1:] == answers[:1] * 2
    assert answers[0][1] == f"{FILE} whole".encode()
    assert answers[0][0]["headers"].count((b"x-added", b"yes")) == 1


def test_each_path_has_its_own_file() -> None:
    app = StaticCache(Inner())
    assert ask(app, "/static/a")[1] != ask(app, "/static/b")[1]
    assert ask(app, "/static/a")[1] == b"/static/a whole"


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/", {}),
        ("/media/film.png", {}),
        (FILE, {"method": "HEAD"}),
        (FILE, {"query_string": b"v=2"}),
        (FILE, {"headers": [(b"range", b"bytes=0-9")]}),
        (FILE, {"headers": [(b"if-none-match", b"x")]}),
    ],
    ids=["a page", "a film", "no body wanted", "with a question", "a part", "if it changed"],
)
def test_other_requests_than_for_a_plain_file_are_not_cached(
    path: str, scope: dict[str, Any]
) -> None:
    inner = Inner()
    app = StaticCache(inner)
    ask(app)  # kept, and yet of no use to these
    for _ in range(2):
        ask(app, path, **scope)
    assert inner.requests == 3


@pytest.mark.parametrize(
    "inner",
    [Inner(404), Inner(304), Inner(set_cookie="a=b"), Inner(content_encoding="gzip")],
    ids=["none", "unchanged", "personal", "compressed"],
)
def test_what_is_no_file_for_everybody_is_not_kept(inner: Inner) -> None:
    app = StaticCache(inner)
    ask(app)
    ask(app)
    assert inner.requests == 2


def test_an_answer_that_broke_off_is_not_kept() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    app = StaticCache(broken)
    assert ask(app)[1] == b"half"
    whole = Inner()
    app._app = whole
    assert ask(app)[1] == f"{FILE} whole".encode()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_cache, "MAX_BYTES", len(f"{FILE} whole"))
    inner = Inner()
    app = StaticCache(inner)
    for path in (FILE, FILE, "/static/another", "/static/another"):
        ask(app, path)
    assert inner.requests == 3
