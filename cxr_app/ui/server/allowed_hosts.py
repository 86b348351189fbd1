"""Answers only to the server's own names, before every route, static file and websocket.

Another site can make its own name lead to this server (DNS rebinding); a reader's browser then
takes the server for that site and lets its scripts read films. The name that the browser asked for
is in the header Host, and the site that asks in Origin; both must be ours.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
REFUSAL = (
    "This server does not answer to the name in your browser's address bar, or the page that asks "
    "belongs to another site. Open the server by its own name; if that name is new, the "
    "administrator adds it to CXR_ALLOWED_HOSTS.\n"
)


class AllowedHosts:
    """Middleware that answers 400 unless Host, and Origin if there is one, name this server.

    Parameters
    ----------
    app
        What is protected.
    names
        Names of the server besides `LOOPBACK_NAMES`, in lower case, without ports.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | set(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request for this server on; refuse any other."""
        if scope["type"] == "lifespan" or self._is_ours(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and not _can_refuse_in_words(scope):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(REFUSAL, status_code=400)(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        origins = headers.getlist("origin")
        if len(hosts) != 1 or len(origins) > 1:
            return False
        return all(_name(each) in self._names for each in (f"//{hosts[0]}", *origins))


def _name(address: str) -> str:
    """Return the name in an address; empty if it is not one of the plain form NAME[:PORT]."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # checks it
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return ""
    return (parts.hostname or "").rstrip(".")


def _can_refuse_in_words(scope: Scope) -> bool:
    return "websocket.http.response" in scope.get("extensions", {})
