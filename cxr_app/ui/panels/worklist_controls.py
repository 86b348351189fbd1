"""Search, counts and filters above the worklist."""

from datetime import UTC, datetime, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_app import display_text
from cxr_app.ui import resources, view_state
from cxr_app.ui.panels.study_switch import study_switch
from cxr_app.ui.panels.views_panel import saved_views
from cxr_app.ui.text import formatting
from cxr_app.worklist import Counts, Query, SecondReadingState

STATES = {"unread": "Unread", "needs_a_person": "Needs a person", "read": "Read", "all": "All"}
TWICE = {"second_reading": "Second reading", "disagreement": "Disagreements"}
"""Lists of films that two readers read."""
FLAGS = {"flagged": "Flagged", "not_flagged": "Not flagged"}
TIERS = {"high": "● High", "medium": "◐ Medium", "low": "○ Low"}
WAIT_HELP = "Of unread films that are, or may be, of the chest; files of another kind do not count."


def title_and_search() -> DeltaGenerator:
    """Show the title and the search field; return the row that holds them."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.title("Worklist", anchor=False)
    row.text_input(
        "Search",
        key=view_state.TEXT,
        type="search",
        live="300ms",
        max_chars=200,
        width=420,
        icon=":material/search:",
        placeholder="Patient ID, name, accession, description or file",
        label_visibility="collapsed",
        persist_state="session",
        on_change=view_state.change,
    )
    return row


def counts(now: Counts) -> None:
    """Show how many films wait and for how long, and how many were read today."""
    today = resources.worklist().reviews.read_since(display_text.midnight(datetime.now(UTC)))
    unread, flagged, person, wait, pace, read = st.columns([0.8, 1, 1.05, 1.25, 1.65, 0.8])
    unread.metric("Unread", f"{now.unread:,}")
    flagged.metric("Flagged, unread", f"{now.flagged_unread:,}")
    person.metric("Needs a person", f"{now.needs_a_person:,}")
    wait.metric("Longest wait", _duration(now.longest_wait), help=WAIT_HELP)
    seconds = today.median_seconds
    median = None if seconds is None else timedelta(seconds=seconds)
    pace.metric("Median time to read today", _duration(median))
    read.metric("Read today", f"{today.read:,}")


def filters(query: Query) -> None:
    """Offer filters by state, reader, flag and tier, and saved views."""
    st.session_state["state"] = query.state
    st.session_state["flag"] = None if query.flag == "any" else query.flag
    st.session_state["mine"] = None if query.assigned_to is None else "mine"
    tiers = {tier: name for name, tier in view_state.TIERS.items()}
    st.session_state["tier"] = tiers[query.tier] if query.tier else None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "State",
            _states(query),
            format_func=(STATES | TWICE).__getitem__,
            key="state",
            required=True,
            label_visibility="collapsed",
            on_change=lambda: view_state.change(state=st.session_state["state"]),
        )
        st.pills(
            "Mine",
            ["mine"],
            format_func=lambda _: "My list",
            key="mine",
            label_visibility="collapsed",
            help="Films assigned to you",
            on_change=lambda: view_state.change(mine=st.session_state["mine"] == "mine"),
        )
        st.pills(
            "Flag",
            FLAGS,
            format_func=FLAGS.__getitem__,
            key="flag",
            label_visibility="collapsed",
            on_change=lambda: view_state.change(flag=st.session_state["flag"] or "any"),
        )
        st.pills(
            "Tier",
            TIERS,
            format_func=TIERS.__getitem__,
            key="tier",
            label_visibility="collapsed",
            on_change=lambda: view_state.change(tier=st.session_state["tier"] or ""),
        )
        study_switch()
        saved_views()


def _states(query: Query) -> list[str]:
    """Return the states to choose from; those of two readers where the site has them."""
    has_two = resources.settings().second_reading_rule.asked or query.state in TWICE
    return [*STATES, *(TWICE if has_two or _are_two_at_work() else ())]


def _are_two_at_work() -> bool:
    """Check whether a film waits for a reader or a settlement, even if the rule is off by now."""
    counts = resources.worklist().room.second_readings.counts()
    waits = (SecondReadingState.WAITING, SecondReadingState.DISAGREED)
    return any(counts.get(state) for state in waits)


def _duration(elapsed: timedelta | None) -> str:
    return "–" if elapsed is None else formatting.duration(elapsed)
