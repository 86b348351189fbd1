"""Who asks too often is told to wait, and nobody else; by real requests to a real server."""

import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cxr_app.audit.event import AuditKind
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.ui.server import monitoring_routes, rate_limits, stow_route
from cxr_app.ui.server.rate_limits import RateLimit, RateLimits
from tests.support.audited import events
from tests.support.peers import free_port

LIMITS = {"SIGN_INS": 3, "STOW": 4, "WRONG_TOKENS": 2}
TOKEN = {"Authorization": "Bearer secret"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the routes of programs and a page that signs in, with tight limits."""
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_DICOMWEB_TOKEN", "secret")
    monkeypatch.setenv("CXR_METRICS_TOKEN", "secret")
    monkeypatch.setenv("CXR_PROXY_ADDRESSES", "127.0.0.1")
    for name, limit in LIMITS.items():
        monkeypatch.setenv(f"CXR_{name}_PER_MINUTE", str(limit))
    page = [Route(path, lambda _: PlainTextResponse("page")) for path in ("/", "/auth/login")]
    routes = [*page, *stow_route.routes(), *monitoring_routes.routes()]
    app = Starlette(routes=routes, middleware=[Middleware(RateLimits, Settings.read())])
    chosen = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=chosen, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield chosen
    server.should_exit = True
    thread.join()


def ask(port: int, path: str, client: str = "", **headers: str) -> HTTPResponse:
    """Send a request, as a proxy on this computer forwards it for a client."""
    method = "POST" if path.startswith("/dicom-web") else "GET"
    sent = headers | ({"X-Forwarded-For": client} if client else {})
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers=sent)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("path", "headers", "limit", "allowed"),
    [("/auth/login", {}, 3, 200), ("/dicom-web/studies", TOKEN, 4, 415)],
)
def test_who_asks_too_often_is_told_when_to_try_again(
    port: int, path: str, headers: dict[str, str], limit: int, allowed: int
) -> None:
    answers = [ask(port, path, "192.0.2.7", **headers) for _ in range(limit + 1)]
    assert [each.status for each in answers] == [*[allowed] * limit, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60 / limit + 1
    assert ask(port, path, "192.0.2.8", **headers).status == allowed, "another address may"
    assert ask(port, "/", "192.0.2.7").status == 200, "other pages are there"


@pytest.mark.parametrize("path", ["/dicom-web/studies", "/metrics"])
def test_who_guesses_tokens_is_refused_for_a_while(port: int, path: str) -> None:
    wrong = {"Authorization": "Bearer guess"}
    assert [ask(port, path, "192.0.2.7", **wrong).status for _ in range(4)] == [401, 401, 429, 429]
    assert ask(port, path, "192.0.2.7", **TOKEN).status == 429
    assert ask(port, path, "192.0.2.8", **TOKEN).status in (200, 415)
    resources.audit().flush()
    found = events(resources.settings().audit_folder, AuditKind.REFUSED)
    assert len([each for each in found if "too many" in each.detail]) == 1, "noted once a minute"
    assert {each.address for each in found} == {"192.0.2.7"}


def test_a_word_in_the_header_changes_nothing_for_who_is_no_proxy(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "client_address", lambda _request, _proxies: "192.0.2.7")
    found = [ask(port, "/auth/login", f"203.0.113.{n}").status for n in range(4)]
    assert found[-1] == 429


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=80),
)
def test_no_minute_has_more_than_twice_the_limit(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    rate, taken = RateLimit(limit, clock), []
    for pause in pauses:
        clock.now += pause
        wait = rate.take("192.0.2.7")
        if not wait:
            taken.append(clock.now)
        else:
            assert wait <= 60 / limit + 1e-6
    for begin in taken:
        assert sum(begin <= each < begin + 60 for each in taken) <= 2 * limit


@given(st.integers(1, 50))
def test_after_the_wait_that_was_named_a_request_passes(limit: int) -> None:
    clock = Clock()
    rate = RateLimit(limit, clock)
    while not (wait := rate.take("192.0.2.7")):
        pass
    clock.now += wait + 1e-6
    assert rate.take("192.0.2.7") == 0


def test_addresses_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MOST_ADDRESSES", 50)
    rate = RateLimit(1, Clock())
    for number in range(500):
        rate.take(f"2001:db8:0:{number:x}::1")
    assert len(rate._empty_at) <= 50


def test_one_subscriber_has_one_limit() -> None:
    rate = RateLimit(1, Clock())
    assert not rate.take("2001:db8::1")
    assert rate.take("2001:db8::2")
    assert not rate.take("2001:db8:0:1::1")
    assert not rate.take("192.0.2.7")
    assert rate.take("::ffff:192.0.2.7")


def test_no_limit_is_no_limit() -> None:
    rate = RateLimit(0, Clock())
    assert not any(rate.take("192.0.2.7") for _ in range(1000))
