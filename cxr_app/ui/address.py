"""The view of the worklist as the address holds it: a reload or a link brings the same view.

The search text may hold a patient's name, so it stays in the session and never in the address.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from cxr_app.ui import resources
from cxr_app.worklist import SORTABLE, Query

STATES = ("unread", "needs_a_person", "read", "all")
FLAGS = ("any", "flagged", "not_flagged")
TEXT = "text"
"""The session's key of the search text, and its widget's."""


def query() -> Query:
    """Say which films in which order this session looks at; what makes no sense is left out."""
    asked = st.query_params
    sort = asked.get("sort", "")
    return Query(
        state=_one_of(STATES, asked.get("state")),
        flag=_one_of(FLAGS, asked.get("flag")),
        text=str(st.session_state.get(TEXT) or ""),
        sort=sort if sort in SORTABLE else "",
        descending=asked.get("descending") == "true",
        waiting_cap=timedelta(hours=resources.settings().waiting_cap_hours),
    )


def page_number() -> int:
    """Say which page of the list is asked for, counted from 1."""
    asked = st.query_params.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 1


def change(**parameters: Any) -> None:
    """Put parts of the view into the address; another list begins at its first page."""
    if "page" not in parameters:
        parameters["page"] = 1
    for name, value in parameters.items():
        words = str(value).lower() if isinstance(value, bool) else str(value)
        if words in ("", "1", "any", "unread", "false"):
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = words


def parameters() -> Mapping[str, str]:
    """Give the view's part of the address, to take along to the film and back."""
    names = ("state", "flag", "sort", "descending", "page")
    return {name: st.query_params[name] for name in names if name in st.query_params}


def _one_of(allowed: tuple[Any, ...], asked: str | None) -> Any:
    """Take what was asked for where it is allowed, else the first."""
    return asked if asked in allowed else allowed[0]
