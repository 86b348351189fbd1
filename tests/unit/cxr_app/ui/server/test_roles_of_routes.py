"""Routes of films, uploads and downloads, walked by every role and by nobody."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from cxr_app.permissions import Role
from cxr_app.settings import Settings
from cxr_app.ui.server.sign_in import SignIn
from cxr_app.ui.sign_in_sessions import USER_COOKIE, SignInSessions

FILM = ("/films/a", "/films/a/heat", "/films/a/small")
UPLOAD = "/_stcore/upload_file/session/file"
DOWNLOAD = "/media/digest.csv"
ROUTES = {path: {Role.READER} for path in (*FILM, UPLOAD)} | {DOWNLOAD: set(Role)}
GROUPS = {f"{role}_groups": f"the {role}s" for role in Role}
WAYS = {
    "oidc": Settings.model_validate({"sign_in": "oidc", **GROUPS}),
    "proxy": Settings.model_validate(
        {"sign_in": "proxy", "reader_header": "X-User", "groups_header": "X-Groups", **GROUPS}
    ),
}
Headers = list[tuple[str, str]]


def signed_in(way: str, roles: set[Role], name: str = "Weiss") -> Headers:
    """Return the headers of a person with these roles."""
    groups = [f"the {role}s" for role in roles]
    if way == "proxy":
        return [("x-user", name), ("x-groups", ",".join(groups))]
    claims = {"email": name, "is_logged_in": True, "groups": groups}
    signed = create_signed_value(get_cookie_secret(), USER_COOKIE, json.dumps(claims))
    return [("cookie", f"{USER_COOKIE}={signed.decode()}")]


def answer(
    settings: Settings, path: str, headers: Headers, sessions: SignInSessions | None = None
) -> tuple[int, str]:
    """Return status and words of the answer; 200 if the request reaches what is behind."""
    sent: list[Message] = []

    async def inner(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 4000),
        "server": ("127.0.0.1", 8501),
    }
    guard = SignIn(inner, settings, sessions or SignInSessions(60))
    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:]).decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("role", Role)
def test_a_route_is_open_to_its_roles_alone(way: str, path: str, role: Role) -> None:
    status, words = answer(WAYS[way], path, signed_in(way, {role}))
    assert status == (200 if role in ROUTES[path] else 403)
    assert status == 200 or "You may not" in words


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ROUTES)
def test_a_route_is_closed_to_nobody_and_to_those_without_a_role(way: str, path: str) -> None:
    assert answer(WAYS[way], path, [])[0] == 401
    status, words = answer(WAYS[way], path, signed_in(way, set()))
    assert status == 403
    assert "Ask the person who runs your directory" in words


@pytest.mark.parametrize("path", ROUTES)
def test_a_route_is_closed_to_an_ended_session(path: str) -> None:
    sessions, mine = SignInSessions(60), signed_in("oidc", set(Role))
    cookie = dict([mine[0][1].split("=", 1)])
    assert answer(WAYS["oidc"], path, mine, sessions)[0] == 200
    sessions.end(cookie)
    assert answer(WAYS["oidc"], path, mine, sessions)[0] == 401


def test_a_second_header_of_groups_is_refused() -> None:
    mine = [*signed_in("proxy", set()), ("x-groups", "the readers")]
    assert answer(WAYS["proxy"], FILM[0], mine)[0] == 401


class OneWindow:
    """Streamlit's runtime with one open window."""

    def __init__(self, headers: Headers) -> None:
        self.client_context = self
        self.headers = headers
        self.cookies: Mapping[str, str] = dict(
            value.split("=", 1) for name, value in headers if name == "cookie"
        )

    def get_client(self, session: str) -> "OneWindow | None":
        return self if session == "session" else None


@pytest.mark.parametrize("way", WAYS)
def test_nobody_uploads_into_another_persons_window(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = (signed_in(way, {Role.READER}, name) for name in ("Weiss", "Ada"))
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: OneWindow(mine))
    assert answer(WAYS[way], UPLOAD, mine)[0] == 200
    status, words = answer(WAYS[way], UPLOAD, theirs)
    assert (status, "another person's session" in words) == (403, True)
