"""From which address a request comes, behind proxies that the settings name and no others."""

from collections.abc import Iterable
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from cxr_app.access_settings import Network

FORWARDED = "x-forwarded-for"
LOOPBACK = "127.0.0.1"


def client_address(request: HTTPConnection, proxies: Iterable[Network]) -> str:
    """Return the address of the client; empty if it is unknown.

    Parameters
    ----------
    proxies
        Whose word is taken, in X-Forwarded-For, for whom they forward.
    """
    peer, port = request.client or ("", 1)
    known = tuple(proxies)
    if port == 0 and not _is_among(LOOPBACK, known):
        return LOOPBACK  # uvicorn takes the word of every program on this computer
    return forwarded_address(peer, ",".join(request.headers.getlist(FORWARDED)), known)


def forwarded_address(peer: str, forwarded: str, proxies: Iterable[Network]) -> str:
    """Return for whom a peer forwards a request: the last address that is no named proxy's.

    Parameters
    ----------
    forwarded
        What X-Forwarded-For says; it is read from its end, which the nearest proxy has written.
    """
    known = tuple(proxies)
    found = peer
    hops = [each.strip() for each in forwarded.split(",")]
    while hops and _is_among(found, known) and _is_address(hops[-1]):
        found = hops.pop()
    return found


def _is_among(address: str, networks: Iterable[Network]) -> bool:
    if not _is_address(address):
        return False
    found = ip_address(address)
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
