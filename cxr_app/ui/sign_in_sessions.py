"""Sessions of readers signed in by OpenID Connect: open, ended by sign-out, or idle for too long.

Streamlit's cookie is valid for a month. Here it opens nothing once its reader has signed out or has
been idle; what is known of it is kept in memory, so that after a restart of the server a cookie
that is older than the idle time counts as ended.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

USER_COOKIE = "_streamlit_user"
DAY_SECONDS = 24 * 3600.0
ENDED = float("-inf")


class SignInSessions:
    """The sessions by their cookie. Safe for many threads.

    Parameters
    ----------
    idle_seconds
        How long a session stays open without activity.
    clock
        Returns seconds that never go back.
    """

    def __init__(self, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._active_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_open(self, cookies: Mapping[str, str]) -> bool:
        """Check whether these cookies are those of an open session."""
        if not _is_signed_in(cookies):
            return False
        key = _key(cookies)
        with self._lock:
            if key not in self._active_at:
                self._active_at[key] = self._clock() if self._is_fresh(cookies) else ENDED
            return self._clock() - self._active_at[key] < self._idle_seconds

    def touch(self, cookies: Mapping[str, str]) -> bool:
        """Note activity in an open session; False, and nothing noted, if it is not open."""
        if not self.is_open(cookies):
            return False
        with self._lock:
            if self._active_at[_key(cookies)] != ENDED:
                self._active_at[_key(cookies)] = self._clock()
        return True

    def end(self, cookies: Mapping[str, str]) -> None:
        """End a session: its cookie opens nothing any more."""
        if _is_signed_in(cookies):
            with self._lock:
                self._active_at[_key(cookies)] = ENDED

    def _is_fresh(self, cookies: Mapping[str, str]) -> bool:
        """Check whether a cookie was made within the idle time."""
        age_in_days = self._idle_seconds / DAY_SECONDS
        value = cookies[USER_COOKIE]
        made = decode_signed_value(get_cookie_secret(), USER_COOKIE, value, age_in_days)
        return made is not None


def claims_of(cookies: Mapping[str, str]) -> dict[str, Any]:
    """Return what the directory says of the person; empty unless the signature is ours."""
    if USER_COOKIE not in cookies:
        return {}
    payload = _get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE)
    try:
        claims = {} if payload is None else json.loads(payload)
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) and claims.get("is_logged_in") is True else {}


def _is_signed_in(cookies: Mapping[str, str]) -> bool:
    """Check the signature of the cookie, and that it says so."""
    return bool(claims_of(cookies))


def _key(cookies: Mapping[str, str]) -> str:
    parts = sorted(each for each in cookies.items() if each[0].startswith(USER_COOKIE))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
