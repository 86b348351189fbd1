"""Requests under a foreign name, or from a foreign site, reach nothing behind the middleware."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from cxr_app.ui.server.allowed_hosts import REFUSAL, AllowedHosts

NAMES = ("triage.hospital.example",)
OURS = ("localhost", "127.0.0.1", "[::1]", *NAMES)


def sent(scope: Scope) -> list[Message]:
    """Return what leaves the server for a request; 200 comes from behind the middleware."""
    messages: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(AllowedHosts(inner, NAMES)(scope, receive, send))
    return messages


def status(*headers: tuple[str, str]) -> int:
    """Return the status of the answer to a request with these headers."""
    raw = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers]
    return int(sent({"type": "http", "headers": raw})[0]["status"])


@pytest.mark.parametrize("port", ["", ":80", ":8501"])
@pytest.mark.parametrize("name", [*OURS, "LOCALHOST", "localhost.", "Triage.Hospital.example"])
def test_the_servers_own_names_are_answered(name: str, port: str) -> None:
    assert status(("host", name + port)) == 200
    assert status(("host", name + port), ("origin", f"http://{name}{port}")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8501",
        "other.example",
        "other.example:8501",
        "localhost.other.example",
        "other.example/localhost",
        "other.example?localhost",
        "other.example#localhost",
        "other.example@localhost",
        "localhost@other.example",
        "localhost:port",
        "[::1",
        "::1",
        "127.0.0.1, other.example",
        "a.triage.hospital.example",
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert status(("host", host)) == 400


def test_exactly_one_host_is_needed() -> None:
    assert status() == 400
    assert status(("host", "localhost"), ("host", "other.example")) == 400


@pytest.mark.parametrize(
    "origin", ["null", "http://other.example", "https://other.example:8501", "localhost", "file://"]
)
def test_a_page_of_another_site_is_refused(origin: str) -> None:
    assert status(("host", "localhost:8501"), ("origin", origin)) == 400


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_only_our_names_pass_whatever_is_sent(host: str) -> None:
    expected = host.lower().rsplit(":", 1)[0].rstrip(".") in OURS or host.lower() in OURS
    assert (status(("host", host)) == 200) <= expected


def test_the_refusal_says_what_to_do() -> None:
    start, body = sent({"type": "http", "headers": [(b"host", b"other.example")]})
    assert start["status"] == 400
    assert body["body"].decode() == REFUSAL
    assert "CXR_ALLOWED_HOSTS" in REFUSAL


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_a_websocket_is_refused_before_it_opens(extensions: dict[str, object]) -> None:
    scope = {
        "type": "websocket",
        "headers": [(b"host", b"other.example")],
        "extensions": extensions,
    }
    first = sent(scope)[0]
    if extensions:
        assert (first["type"], first["status"]) == ("websocket.http.response.start", 400)
    else:
        assert first == {"type": "websocket.close", "code": 1008}


def test_start_and_end_of_the_server_pass() -> None:
    assert sent({"type": "lifespan"})[0]["status"] == 200
