"""How this program logs in to DICOMweb archives."""

import base64
import re
from urllib.parse import urlsplit

_ITEM = re.compile(r"(?P<host>[A-Za-z0-9.:\[\]-]+)=(?P<login>[!-~]+)")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def parse_logins(written: str) -> dict[str, str]:
    """Read ``HOST=TOKEN`` or ``HOST=USER:PASSWORD``, several separated by spaces.

    Returns
    -------
    dict[str, str]
        The value of the ``Authorization`` header by host, with its port as the address has it.

    Raises
    ------
    ValueError
        If one is written otherwise, or a host is named twice; the message quotes no secret.

    References
    ----------
    RFC 6750 (tokens), RFC 7617 (user and password).
    """
    headers: dict[str, str] = {}
    for place, item in enumerate(written.split(), 1):
        found = _ITEM.fullmatch(item)
        header = _header(found["login"]) if found else ""
        if found is None or not header:
            raise ValueError(f"item {place} is not written as HOST=TOKEN or HOST=USER:PASSWORD")
        host = found["host"].lower()
        if host in headers:
            raise ValueError(f"{host} is named twice")
        headers[host] = header
    return headers


def authorization(logins: dict[str, str], url: str) -> str:
    """Return the header for an address; empty if there is no login for its host.

    Parameters
    ----------
    logins
        As `parse_logins` returns them.
    """
    return logins.get(urlsplit(url).netloc.lower(), "")


def _header(login: str) -> str:
    """Return the header's value; empty if it is neither a token nor a user with a password."""
    if ":" in login:
        return f"Basic {base64.b64encode(login.encode()).decode()}"
    return f"Bearer {login}" if _TOKEN.fullmatch(login) else ""
