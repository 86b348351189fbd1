"""Who may reach the server: checked before every route that shows or takes films.

Without sign-in the server answers on the loopback address only. A proxy that signs readers in is
believed only at the addresses that the settings name. With OpenID Connect, Streamlit signs the
reader in and keeps the identity in a signed cookie; the same cookie opens films, downloads and
uploads, and the page (`panels.sign_in_panel`) shows nothing without it.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_address

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.auth_util import get_secrets_auth_section
from streamlit.config import set_option

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.errors import SettingsError
from cxr_app.permissions import Permission, refusal
from cxr_app.settings import Settings
from cxr_app.ui import auditing
from cxr_app.ui.identity import person_of
from cxr_app.ui.server import upload_owner
from cxr_app.ui.server.allowed_hosts import LOOPBACK_NAMES
from cxr_app.ui.sign_in_sessions import SignInSessions

OPEN_PATHS = ("/healthz", "/readyz", "/_stcore/health")
"""Routes that tell of no film and no reader."""
UPLOADS = "/_stcore/upload_file/"
GUARDED_PATHS = ("/films/", "/media/", UPLOADS)
"""Routes that need the cookie; the websocket is open, since the page that it serves signs in."""
NEEDED = {"/films/": Permission.OPEN_FILM, UPLOADS: Permission.UPLOAD}
"""What routes need besides. A download's address is a digest of its content: whoever knows it has
been given it."""
TOKEN_PATHS = ("/dicom-web/", "/metrics")
"""Routes for programs, which show a token of their own."""
SIGN_OUT_PATH = "/auth/logout"
NOT_SIGNED_IN = (
    "You are not signed in, or your session has ended. Open the start page to sign in.\n"
)
NO_ROLE = (
    "You are signed in, but have no role here. Ask the person who runs your directory to add you "
    "to one of the groups that this server knows, then sign in again.\n"
)
NOT_YOURS = "This window belongs to another person's session. Reload the page and upload there.\n"
NO_SIGN_IN = (
    "This server signs nobody in and therefore answers on its own computer only. The administrator "
    "sets CXR_SIGN_IN to `oidc` or `proxy`.\n"
)


def auth_section() -> Mapping[str, object]:
    """Return the section ``[auth]`` of Streamlit's secrets; empty if there is none."""
    return get_secrets_auth_section()


def check_sign_in(settings: Settings, address: str | None, auth: Mapping[str, object]) -> None:
    """Check at the start that the server does not listen where nobody is signed in.

    Parameters
    ----------
    address
        That the server will listen on; None or empty for all.
    auth
        Section ``[auth]`` of Streamlit's secrets.

    Raises
    ------
    SettingsError
        If it does, or if what the way of signing in needs is not set.
    """
    if settings.sign_in == "none" and not _is_loopback(address or ""):
        raise SettingsError(
            f"The server would listen on {address or 'all addresses'}, and CXR_SIGN_IN is 'none': "
            "everybody who reaches it could read films. Set CXR_SIGN_IN to 'oidc' or 'proxy', or "
            "listen on 127.0.0.1; 'none-on-purpose' lets everybody in."
        )
    if settings.sign_in == "proxy":
        if not settings.reader_header:
            raise SettingsError(
                "CXR_SIGN_IN is 'proxy', and CXR_READER_HEADER is empty: set it to the header in "
                "which the proxy names the reader, for example X-Forwarded-User."
            )
        if settings.has_roles and not settings.groups_header:
            raise SettingsError(
                "Groups of roles are named, and CXR_GROUPS_HEADER is empty: nobody would have a "
                "role. Set it to the header in which the proxy names a person's groups, for "
                "example X-Forwarded-Groups."
            )
        if os.environ.get("FORWARDED_ALLOW_IPS"):
            raise SettingsError(
                "FORWARDED_ALLOW_IPS is set, and would hide which proxy a request comes from. "
                "Unset it; CXR_PROXY_ADDRESSES names the proxies."
            )
    if settings.promotion_by_two and not settings.signs_in:
        raise SettingsError(
            "CXR_PROMOTION_BY_TWO is set, and CXR_SIGN_IN is "
            f"'{settings.sign_in}': two persons cannot be told apart. Set CXR_SIGN_IN to 'oidc' or "
            "'proxy'."
        )
    needed = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
    missing = [name for name in needed if not auth.get(name)]
    if settings.sign_in == "oidc" and missing:
        raise SettingsError(
            f"CXR_SIGN_IN is 'oidc', and the section [auth] of .streamlit/secrets.toml lacks "
            f"{', '.join(missing)}. docs/administration.md shows an example."
        )


def bind_windows(settings: Settings) -> None:
    """Let Streamlit keep each window for the person whom the proxy named when it was opened.

    Who knows the id of another person's window could take it over otherwise. By OpenID Connect the
    identity in the cookie binds it already.
    """
    if settings.sign_in == "proxy":
        set_option("server.trustedUserHeaders", {settings.reader_header: "name"})


class SignIn:
    """Middleware that lets a request pass only if its reader is signed in.

    Parameters
    ----------
    app
        What is protected.
    settings
        The way of signing in.
    sessions
        Of the readers signed in by OpenID Connect.
    """

    def __init__(self, app: ASGIApp, settings: Settings, sessions: SignInSessions) -> None:
        self._app = app
        self._settings = settings
        self._sessions = sessions
        self._proxies = settings.proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it in words."""
        status, why = 401, ""
        if scope["type"] != "lifespan":
            request = HTTPConnection(scope)
            why = self._refusal(request)
            if not why and (why := self._not_permitted(request)):
                status = 403
            if why:
                self._note(request, AuditKind.REFUSED, outcome=AuditOutcome.REFUSED)
        if not why:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await PlainTextResponse(why, status_code=status)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, request: HTTPConnection) -> str:
        """Return why a request is refused; empty if it is not."""
        path, way = _path(request), self._settings.sign_in
        if way == "none-on-purpose" or path in OPEN_PATHS:
            return ""
        if way == "none":
            address = (request.scope.get("server") or ("",))[0]
            return "" if not address or _is_loopback(address) else NO_SIGN_IN
        if way == "proxy":
            is_open = path.startswith(TOKEN_PATHS) or self._is_named_by_proxy(request)
            return "" if is_open else NOT_SIGNED_IN
        if path == SIGN_OUT_PATH:
            if self._sessions.is_open(request.cookies):
                self._note(request, AuditKind.SIGNED_OUT)
            self._sessions.end(request.cookies)
        is_open = not path.startswith(GUARDED_PATHS) or self._sessions.is_open(request.cookies)
        return "" if is_open else NOT_SIGNED_IN

    def _note(
        self, request: HTTPConnection, kind: AuditKind, outcome: AuditOutcome = AuditOutcome.DONE
    ) -> None:
        who = auditing.sender(request)
        who.note(kind, outcome=outcome, detail=route_of(_path(request)))

    def _not_permitted(self, request: HTTPConnection) -> str:
        """Return why a person who is signed in may not have this; empty if they may."""
        path = _path(request)
        if not self._settings.signs_in or not path.startswith(GUARDED_PATHS):
            return ""
        person = person_of(self._settings, request.headers, request.cookies)
        for start, permission in NEEDED.items():
            wanted = self._settings.who_may(permission)
            if path.startswith(start) and not person.roles & wanted:
                return refusal(permission, person.roles, wanted) + "\n"
        if path.startswith(UPLOADS) and not upload_owner.is_own(self._settings, path, person):
            return NOT_YOURS
        return "" if person.roles else NO_ROLE

    def _is_named_by_proxy(self, request: HTTPConnection) -> bool:
        names = request.headers.getlist(self._settings.reader_header)
        if request.client is None or len(names) != 1 or not names[0].strip():
            return False
        groups = self._settings.groups_header
        if groups and len(request.headers.getlist(groups)) > 1:
            return False  # one of them may be the client's own
        host, port = request.client
        # Uvicorn replaces the address of a proxy on this computer by that of its client, port 0.
        peer = ip_address("127.0.0.1" if port == 0 else host)
        return any(peer in proxies for proxies in self._proxies)


def route_of(path: str) -> str:
    """Return which route a path belongs to, without what it names: an address may be anything."""
    known = (*GUARDED_PATHS, *TOKEN_PATHS, "/_stcore/", "/auth/", "/static/")
    return next((start for start in known if path.startswith(start)), "page")


def _path(request: HTTPConnection) -> str:
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    path: str = request.scope["path"]
    return path.removeprefix(f"/{base}") if base else path


def _is_loopback(address: str) -> bool:
    if address.strip("[]").lower() in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
