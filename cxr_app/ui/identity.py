"""Who asks: the name and the roles of a person, from the cookie or the proxy's headers.

A page and a route have the same answer, because both take it from the headers of a request.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cxr_app.permissions import ALL_ROLES, Role
from cxr_app.settings import Settings
from cxr_app.ui.sign_in_sessions import claims_of

NAME_CLAIMS = ("email", "preferred_username", "sub")
MAX_LENGTH = 60
"""Longest name of a person."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who uses the server.

    Parameters
    ----------
    name
        As signed in; empty if the site signs nobody in.
    roles
        What the person may do.
    """

    name: str
    roles: frozenset[Role]


def person_of(settings: Settings, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:
    """Return who sends a request; the request is known to be let in.

    Parameters
    ----------
    headers
        By name, in any case.
    """
    if settings.sign_in == "oidc":
        claims = claims_of(cookies)
        return Person(name_in(claims), settings.roles_of(_listed(claims, settings.groups_claim)))
    if settings.sign_in != "proxy":
        return Person("", ALL_ROLES)
    sent = {name.lower(): value for name, value in headers.items()}
    groups = re.split(r"[,;|]", sent.get(settings.groups_header.lower(), ""))
    name = sent.get(settings.reader_header.lower(), "")
    return Person(name[:MAX_LENGTH].strip(), settings.roles_of(map(str.strip, groups)))


def name_in(claims: Mapping[str, Any]) -> str:
    """Return the name by which a directory knows a person; empty if it tells none."""
    names = (claims.get(claim) for claim in NAME_CLAIMS)
    return str(next(filter(None, names), ""))[:MAX_LENGTH].strip()


def _listed(claims: Mapping[str, Any], claim: str) -> Iterable[str]:
    """Return the groups in a claim, which is a list, or a single name."""
    found = claims.get(claim)
    return [str(each) for each in (found if isinstance(found, list) else [found]) if each]
