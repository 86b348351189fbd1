"""Events of the pages and routes, noted in the audit with who asked and from where."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection

from cxr_app.audit.event import AuditKind
from cxr_app.errors import CxrError
from cxr_app.radiograph import Header
from cxr_app.ui import current_reader, resources
from cxr_app.ui.client_address import FORWARDED, LOOPBACK, client_address, forwarded_address
from cxr_app.ui.identity import person_of

NOTED = "audited"
"""Session key of what was noted once already."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where.

    Parameters
    ----------
    who
        Name as signed in, else as typed.
    address
        IP address; empty if unknown.
    """

    who: str
    address: str

    def note(self, kind: AuditKind, header: Header | None = None, **facts: Any) -> None:
        """Record an event; this touches no session and may follow an action."""
        resources.audit().record(kind, header, who=self.who, address=self.address, **facts)


def asker() -> Asker:
    """Return who is at this page."""
    peer = st.context.ip_address  # None from this computer
    proxies = resources.settings().proxies
    forwarded = str(st.context.headers.get(FORWARDED) or "")
    address = forwarded_address(peer if isinstance(peer, str) else LOOPBACK, forwarded, proxies)
    return Asker(current_reader.name_if_known(), address)


def sender(request: HTTPConnection) -> Asker:
    """Return who sends a request to a route."""
    settings = resources.settings()
    address = client_address(request, settings.proxies)
    who = person_of(settings, request.headers, request.cookies).name
    if not who and not settings.signs_in:
        who = current_reader.cookie_name(request.cookies)
    return Asker(who, address)


def note(kind: AuditKind, header: Header | None = None, **facts: Any) -> None:
    """Record what the person at this page did."""
    asker().note(kind, header, **facts)


def note_once(kind: AuditKind, what: str, header: Header | None = None, **facts: Any) -> None:
    """Record something unless it was the last of its kind noted in this window.

    A page is drawn again and again; a new event is one of another film, or of other words.
    """
    noted: dict[str, str] = st.session_state.setdefault(NOTED, {})
    if noted.get(kind) != what:
        noted[kind] = what
        note(kind, header, **facts)


def headers_of(entry_ids: Sequence[str]) -> dict[str, Header | None]:
    """Return the headers of films as they are in the files, by their ids, for the patients' marks.

    A film that is not there has none.
    """
    headers: dict[str, Header | None] = dict.fromkeys(entry_ids)
    with suppress(CxrError):
        if entry_ids:  # no heatmap is read
            found = resources.worklist().entries_by_ids(entry_ids)
            headers |= {each.id: each.header for each in found}
    return headers


def changed_settings(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return the names of the settings that are not the default, with no value: some are secret."""
    return ", ".join(sorted(name for name, value in values.items() if value != defaults.get(name)))
