"""How often an address may sign in, send films, and show a wrong token.

In memory, with a bound on the addresses that are kept, so that the limit cannot be turned against
the server; a library would keep every address that ever asked.
"""

import math
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.ui.client_address import client_address

SIGN_IN_PATHS = ("/auth/login", "/oauth2callback")
STOW_PATH = "/dicom-web/"
TOKEN_PATHS = (STOW_PATH, "/metrics")
MINUTE = 60.0
MOST_ADDRESSES = 10_000
V6_PREFIX = 64
"""Bits of an IPv6 address that one subscriber has."""
REFUSAL = (
    "Too many requests from your address: {limit} a minute are allowed here. Try again in {wait} "
    "seconds; the administrator may raise {setting}.\n"
)


class RateLimit:
    """At most so many requests a minute from each address, as a leaky bucket. Safe for threads.

    Parameters
    ----------
    limit
        Requests a minute, and so many at once; 0 for any number.
    clock
        Returns seconds that never go back.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._empty_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Return for how many seconds an address must wait; 0 if it need not."""
        if not self.limit:
            return 0.0
        with self._lock:
            return self._wait(_subscriber(address), self._clock())

    def take(self, address: str) -> float:
        """Count a request unless its address must wait; return for how many seconds it must."""
        if not self.limit:
            return 0.0
        key = _subscriber(address)
        with self._lock:
            now = self._clock()
            if (wait := self._wait(key, now)) > 0:
                return wait
            begin = max(now, self._empty_at.pop(key, now))
            self._make_room(now)
            self._empty_at[key] = begin + MINUTE / self.limit
            return 0.0

    def _wait(self, key: str, now: float) -> float:
        longest = MINUTE - MINUTE / self.limit
        return max(0.0, self._empty_at.get(key, now) - now - longest)

    def _make_room(self, now: float) -> None:
        """Forget addresses that may do everything again, then those that asked longest ago."""
        if len(self._empty_at) < MOST_ADDRESSES:
            return
        self._empty_at = {key: at for key, at in self._empty_at.items() if at > now}
        while len(self._empty_at) >= MOST_ADDRESSES:
            self._empty_at.pop(next(iter(self._empty_at)))


class RateLimits:
    """Middleware that answers 429 to an address that asks too often.

    Parameters
    ----------
    app
        What is protected.
    settings
        The limits, and the proxies that are believed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._proxies = settings.proxies
        self._sign_ins = RateLimit(settings.sign_ins_per_minute)
        self._stow = RateLimit(settings.stow_per_minute)
        self._failures = RateLimit(settings.wrong_tokens_per_minute)
        self._noted = RateLimit(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it in words."""
        path = _path(scope) if scope["type"] == "http" else ""
        if not path.startswith((*SIGN_IN_PATHS, *TOKEN_PATHS)):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        address = client_address(request, self._proxies)
        name, limit, wait = self._limit(path, address)
        if wait:
            self._note(address, path)
            await _refuse(name, limit, wait)(scope, receive, send)
            return

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._failures.take(address)
            await send(message)

        is_token = path.startswith(TOKEN_PATHS)
        await self._app(scope, receive, send_and_count if is_token else send)

    def _limit(self, path: str, address: str) -> tuple[str, int, float]:
        """Count a request; return setting, limit, and for how many seconds it must wait."""
        if path.startswith(SIGN_IN_PATHS):
            return "CXR_SIGN_INS_PER_MINUTE", self._sign_ins.limit, self._sign_ins.take(address)
        if wait := self._failures.wait(address):
            return "CXR_WRONG_TOKENS_PER_MINUTE", self._failures.limit, wait
        if path.startswith(STOW_PATH):
            return "CXR_STOW_PER_MINUTE", self._stow.limit, self._stow.take(address)
        return "", 0, 0.0

    def _note(self, address: str, path: str) -> None:
        """Record the first refusal of a minute, so that nobody can fill the audit."""
        if not self._noted.take(address):
            resources.audit().record(
                AuditKind.REFUSED,
                address=address,
                outcome=AuditOutcome.REFUSED,
                detail=f"too many requests: {path.split('/')[1]}",
            )


def _refuse(setting: str, limit: int, wait: float) -> PlainTextResponse:
    seconds = math.ceil(wait)
    text = REFUSAL.format(limit=limit, wait=seconds, setting=setting)
    return PlainTextResponse(text, 429, {"Retry-After": str(seconds)})


def _path(scope: Scope) -> str:
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    path: str = scope["path"]
    return path.removeprefix(f"/{base}") if base else path


def _subscriber(address: str) -> str:
    """Return what one client has for its own: an address, or a network of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or int(found) >> (128 - V6_PREFIX))
