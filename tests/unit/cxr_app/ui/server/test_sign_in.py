"""Nothing that shows or takes films is reached without signing in, in any way of signing in."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from cxr_app.errors import SettingsError
from cxr_app.permissions import Role
from cxr_app.settings import Settings
from cxr_app.ui.server.sign_in import SignIn, check_sign_in
from cxr_app.ui.sign_in_sessions import USER_COOKIE, SignInSessions

GUARDED = ("/films/a", "/films/a/heat", "/media/b.csv", "/_stcore/upload_file/s/f")
EVERY = (*GUARDED, "/", "/_stcore/stream", "/static/a.js", "/favicon.png")
HEADER = "X-Forwarded-User"
AUTH = dict.fromkeys(
    ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"), "a"
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cookies(name: str = "Weiss", signed_in: str = "true") -> dict[str, str]:
    payload = f'{{"name": "{name}", "is_logged_in": {signed_in}}}'
    signed = create_signed_value(get_cookie_secret(), USER_COOKIE, payload)
    return {USER_COOKIE: signed.decode()}


def passes(  # noqa: PLR0913 - the parts of a request
    settings: Settings,
    path: str,
    *,
    kind: str = "http",
    headers: Mapping[str, str] | None = None,
    sent: Mapping[str, str] | None = None,
    sessions: SignInSessions | None = None,
    client: tuple[str, int] = ("192.0.2.7", 4000),
    server: tuple[str, int] = ("127.0.0.1", 8501),
) -> bool:
    """Return whether a request reaches what is behind the middleware."""
    messages: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "passed"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        messages.append(message)

    pairs = dict(headers or {})
    if sent:
        pairs["cookie"] = "; ".join(f"{name}={value}" for name, value in sent.items())
    raw = [(name.lower().encode(), value.encode()) for name, value in pairs.items()]
    scope = {"type": kind, "path": path, "headers": raw, "client": client, "server": server}
    guard = SignIn(inner, settings, sessions or SignInSessions(60))
    asyncio.run(guard(scope, receive, send))
    if messages[0]["type"] == "passed":
        return True
    assert messages[0].get("status", 401) == 401
    return False


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_without_sign_in_only_this_computer_is_answered(path: str, kind: str) -> None:
    assert passes(Settings(), path, kind=kind)
    assert passes(Settings(), path, kind=kind, server=("::1", 8501))
    assert not passes(Settings(), path, kind=kind, server=("192.0.2.1", 8501))
    on_purpose = Settings(sign_in="none-on-purpose")
    assert passes(on_purpose, path, kind=kind, server=("192.0.2.1", 8501))


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_proxy_is_believed_at_its_address_alone(path: str, kind: str) -> None:
    settings = Settings(sign_in="proxy", reader_header=HEADER, proxy_addresses="10.1.0.0/16")
    named = {HEADER: "Weiss"}
    assert passes(settings, path, kind=kind, headers=named, client=("10.1.2.3", 4000))
    assert not passes(settings, path, kind=kind, headers=named, client=("10.2.2.3", 4000))
    assert not passes(settings, path, kind=kind, headers=named, client=("127.0.0.1", 0))
    assert not passes(settings, path, kind=kind, client=("10.1.2.3", 4000))
    assert not passes(settings, path, kind=kind, headers={HEADER: " "}, client=("10.1.2.3", 4000))


def test_a_proxy_on_this_computer_is_believed_although_uvicorn_hides_it() -> None:
    settings = Settings(sign_in="proxy", reader_header=HEADER)
    assert passes(settings, "/", headers={HEADER: "Weiss"}, client=("192.0.2.7", 0))
    assert not passes(settings, "/", headers={HEADER: "Weiss"}, client=("192.0.2.7", 4000))


@pytest.mark.parametrize("path", GUARDED)
def test_films_downloads_and_uploads_need_the_cookie_of_an_open_session(path: str) -> None:
    settings = Settings(sign_in="oidc")
    mine = cookies()
    forged = {USER_COOKIE: mine[USER_COOKIE][:-2] + "aa"}
    assert passes(settings, path, sent=mine)
    assert not passes(settings, path)
    assert not passes(settings, path, sent=forged)
    assert not passes(settings, path, sent=cookies(signed_in="false"))


@pytest.mark.parametrize("path", sorted({*EVERY} - {*GUARDED}))
def test_the_page_that_signs_in_is_open(path: str) -> None:
    assert passes(Settings(sign_in="oidc"), path)


@pytest.mark.parametrize("way", ["proxy", "oidc"])
def test_programs_show_a_token_of_their_own(way: str) -> None:
    settings = Settings(sign_in=way, reader_header=HEADER)  # type: ignore[arg-type]
    assert passes(settings, "/dicom-web/studies")


@pytest.mark.parametrize("way", ["none", "proxy", "oidc", "none-on-purpose"])
def test_health_is_told_to_everybody(way: str) -> None:
    settings = Settings(sign_in=way, reader_header=HEADER)  # type: ignore[arg-type]
    assert passes(settings, "/healthz", server=("192.0.2.1", 8501))


def test_sign_out_ends_this_session_and_no_other() -> None:
    settings, sessions = Settings(sign_in="oidc"), SignInSessions(60)
    mine, anothers = cookies("Weiss"), cookies("Grau")
    for each in (mine, anothers):
        assert passes(settings, "/films/a", sent=each, sessions=sessions)
    passes(settings, "/auth/logout", sent=mine, sessions=sessions)
    assert not passes(settings, "/films/a", sent=mine, sessions=sessions)
    assert not sessions.touch(mine)
    assert passes(settings, "/films/a", sent=anothers, sessions=sessions)


def test_an_idle_session_ends_and_use_keeps_it_open() -> None:
    clock = Clock()
    sessions = SignInSessions(60, clock)
    mine = cookies()
    for _ in range(5):
        assert sessions.touch(mine)
        clock.now += 50
    assert sessions.is_open(mine)  # looking is no use
    clock.now += 20
    assert not sessions.is_open(mine)
    assert not sessions.touch(mine)
    assert not sessions.is_open(mine), "a late touch does not open it again"


def test_after_a_restart_an_old_cookie_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    mine = cookies()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert not SignInSessions(60).is_open(mine)
    assert SignInSessions(7200).is_open(mine)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "", None, "::", "triage.example"])  # noqa: S104 - nothing is bound
def test_no_other_address_is_listened_on_without_sign_in(address: str | None) -> None:
    with pytest.raises(SettingsError, match="CXR_SIGN_IN is 'none'"):
        check_sign_in(Settings(), address, {})
    check_sign_in(Settings(sign_in="none-on-purpose"), address, {})
    check_sign_in(Settings(sign_in="oidc"), address, AUTH)
    check_sign_in(Settings(sign_in="proxy", reader_header=HEADER), address, {})


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_this_computers_own_address_needs_no_sign_in(address: str) -> None:
    check_sign_in(Settings(), address, {})


def test_what_a_way_of_signing_in_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"lacks client_id"):
        check_sign_in(Settings(sign_in="oidc"), "127.0.0.1", {**AUTH, "client_id": ""})
    with pytest.raises(SettingsError, match="CXR_READER_HEADER is empty"):
        check_sign_in(Settings(sign_in="proxy"), "127.0.0.1", {})
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with pytest.raises(SettingsError, match="FORWARDED_ALLOW_IPS"):
        check_sign_in(Settings(sign_in="proxy", reader_header=HEADER), "127.0.0.1", {})


@pytest.mark.parametrize("role", Role)
def test_groups_without_the_header_of_the_proxy_are_refused_at_the_start(role: Role) -> None:
    named: dict[str, Any] = {"sign_in": "proxy", "reader_header": HEADER, f"{role}_groups": "some"}
    with pytest.raises(SettingsError, match="CXR_GROUPS_HEADER is empty"):
        check_sign_in(Settings(**named), "127.0.0.1", {})
    check_sign_in(Settings(**named, groups_header="X-Groups"), "127.0.0.1", {})
    check_sign_in(Settings(**{**named, f"{role}_groups": ""}), "127.0.0.1", {})
