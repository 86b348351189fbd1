"""Filters, sort order and page of the worklist, kept in the address for reloads and links.

The search text may hold a patient's name, so it stays in the session and never in the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import streamlit as st

from cxr_app.outcome import Priority
from cxr_app.ui import current_reader, resources
from cxr_app.worklist import LIST_STATES, SORTABLE, Query

FLAGS = ("any", "flagged", "not_flagged")
TIERS = {"high": Priority.HIGH, "medium": Priority.MEDIUM, "low": Priority.LOW}
NAMES = ("state", "flag", "tier", "sort", "descending", "mine", "page")
DEFAULTS = ("", "1", "any", "unread", "false")
BY_STUDY = "list_by_study"
"""Session and widget key of the switch that groups the list by study."""
REMEMBERED = "by_study"
"""Name under which the browser remembers it."""
TEXT = "text"
"""Session and widget key of the search text."""

STALE_SECONDS = 3.0
"""Time for which a refreshing page may still send the address from before a change."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """The current parameters, and those before this session's latest change."""

    now: dict[str, str]
    before: dict[str, str]
    changed: float


def query() -> Query:
    """Return filters and sort order of this session; invalid values are ignored."""
    requested = parameters()
    sort = requested.get("sort", "")
    return Query(
        state=_one_of(LIST_STATES, requested.get("state")),
        flag=_one_of(FLAGS, requested.get("flag")),
        tier=TIERS.get(requested.get("tier", "")),
        text=str(st.session_state.get(TEXT) or ""),
        sort=sort if sort in SORTABLE else "",
        descending=requested.get("descending") == "true",
        assigned_to=current_reader.name_if_known() if requested.get("mine") == "true" else None,
        reader=current_reader.name_if_known(),
        by_study=is_by_study(),
        waiting_cap=timedelta(hours=resources.settings().waiting_cap_hours),
    )


def is_unfiltered(query: Query) -> bool:
    """Check whether a list shows all that is unread."""
    return query == Query(
        reader=query.reader, by_study=query.by_study, waiting_cap=query.waiting_cap
    )


def is_by_study() -> bool:
    """Check whether the list shows one line for each study; at first as the browser remembers."""
    chosen = st.session_state.get(BY_STUDY)
    return st.context.cookies.get(f"cxr_{REMEMBERED}") == "on" if chosen is None else bool(chosen)


def page_number() -> int:
    """Return the requested page of the list, counted from 1."""
    requested = parameters().get("page", "1")
    return (
        max(1, int(requested))
        if requested.isascii() and requested.isdecimal() and len(requested) < 8
        else 1
    )


def change(**changes: Any) -> None:
    """Change parts of the view; any change but of the page returns to the first page."""
    before = parameters()
    changed = {name: _text(value) for name, value in ({"page": 1} | changes).items()}
    now = {name: value for name, value in (before | changed).items() if value not in DEFAULTS}
    st.session_state["view"] = ViewState(now, before, monotonic())
    for name in NAMES:
        if name in now:
            st.query_params[name] = now[name]
        else:
            st.query_params.pop(name, None)


def parameters() -> dict[str, str]:
    """Return the view's part of the address, to carry to the film page and back.

    The browser sends its address with every request, including one already on its way when this
    session changed the view. For a moment, the old address must not undo the change.
    """
    requested = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    view: ViewState | None = st.session_state.get("view")
    if view and requested == view.before and monotonic() - view.changed < STALE_SECONDS:
        return view.now
    return requested


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one_of(allowed: tuple[Any, ...], requested: str | None) -> Any:
    """Return the requested value if it is allowed, otherwise the first."""
    return requested if requested in allowed else allowed[0]


def shown_view() -> dict[str, str]:
    """Return filters and order of this window, to keep them under a name."""
    return {name: value for name, value in parameters().items() if name != "page"}


def show(view: Mapping[str, str]) -> None:
    """Show a view that was kept under a name; what it does not name is as at first."""
    change(**{name: view.get(name, "") for name in NAMES if name != "page"})
