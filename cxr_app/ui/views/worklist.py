"""The worklist: what should be read first is on top, and a click or Enter opens it."""

from datetime import UTC, datetime, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_app.ui import masking, resources, view_state
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.film_table import Sorting, film_table
from cxr_app.ui.panels import review
from cxr_app.ui.text import formatting, table_rows
from cxr_app.worklist import Counts, Query, ReadingDay

PAGE_LENGTH = 50
MOST = 1_000
"""So many films of a search are counted and can be paged through."""
REFRESH_SECONDS = 3
STATES = {"unread": "Unread", "needs_a_person": "Needs a person", "read": "Read", "all": "All"}
FLAGS = {"flagged": "Flagged", "not_flagged": "Not flagged"}
TIERS = {"high": "● High", "medium": "◐ Medium", "low": "○ Low"}


def open_film(entry_id: str) -> None:
    """Go to a film, and take the view along."""
    st.switch_page("views/film.py", query_params={**view_state.parameters(), "film": entry_id})


def title_and_search() -> DeltaGenerator:
    """Name the page; offer to look for a film; give the place beside that."""
    beside = st.container(horizontal=True, vertical_alignment="bottom")
    beside.title("Worklist", anchor=False)
    beside.text_input(
        "Search",
        key=view_state.TEXT,
        type="search",
        live="300ms",
        max_chars=200,
        width=420,
        icon=":material/search:",
        placeholder="Patient, name, accession, description, file",
        label_visibility="collapsed",
        persist_state="session",
        on_change=view_state.change,
    )
    return beside


def open_next(query: Query, total: int) -> None:
    """Offer the first film that nobody else has open, or the top one where others have them all."""
    wanted = st.button(
        "Open next", key="open_next", type="primary", shortcut="n", disabled=total == 0
    )
    if wanted and (entries := resources.worklist().page(query, limit=review.STEPS)):
        open_film(next(filter(review.is_free, entries), entries[0]).id)


def counts(now: Counts, today: ReadingDay) -> None:
    """Say how the list stands."""
    unread, flagged, person, wait, pace, read = st.columns([0.8, 1, 1.05, 1.25, 1.65, 0.8])
    unread.metric("Unread", f"{now.unread:,}")
    flagged.metric("Flagged, unread", f"{now.flagged_unread:,}")
    person.metric("Needs a person", f"{now.needs_a_person:,}")
    wait.metric("Longest wait", _duration(now.longest_wait))
    seconds = today.median_seconds
    median = None if seconds is None else timedelta(seconds=seconds)
    pace.metric("Median time to read today", _duration(median))
    read.metric("Read today", f"{today.read:,}")


def _duration(waited: timedelta | None) -> str:
    return "–" if waited is None else formatting.duration(waited)


def _midnight() -> datetime:
    """Say when the day began, where the server stands."""
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def filters(query: Query) -> None:
    """Offer the parts of the list."""
    st.session_state["state"] = query.state
    st.session_state["flag"] = None if query.flag == "any" else query.flag
    tiers = {tier: name for name, tier in view_state.TIERS.items()}
    st.session_state["tier"] = tiers[query.tier] if query.tier else None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "State",
            STATES,
            format_func=STATES.__getitem__,
            key="state",
            required=True,
            label_visibility="collapsed",
            on_change=lambda: view_state.change(state=st.session_state["state"]),
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


def empty(now: Counts) -> None:
    """Say why nothing is listed, and what to do next."""
    if now.unread + now.read == 0:
        st.info("No films yet. Upload films and they appear here, the most urgent on top.")
        st.page_link("views/upload.py", label="Upload films", icon=":material/upload_file:")
    elif now.unread == 0 and view_state.query() == Query(
        waiting_cap=view_state.query().waiting_cap
    ):
        st.success("Every film has been read. New films appear here by themselves.")
    else:
        st.info("No film matches. Take away a filter or change the search text.")


def films(query: Query, total: int, scoring: int) -> None:
    """Show one page of the list and open what is chosen."""
    pages = -(-min(total, MOST) // PAGE_LENGTH) if query.text else -(-total // PAGE_LENGTH)
    number = min(view_state.page_number(), pages)
    entries = resources.worklist().page(query, (number - 1) * PAGE_LENGTH, PAGE_LENGTH)
    now = datetime.now(UTC)
    gesture = film_table(
        "films",
        table_rows.NEEDS_A_PERSON if query.state == "needs_a_person" else table_rows.WORKLIST,
        [table_rows.row(masking.shown(entry), now) for entry in entries],
        label="Films",
        sorting=Sorting(query.sort, query.descending),
        height="max(16rem, calc(100dvh - 19rem))",
    )
    footer(query, _size(query, total, scoring), number, pages)
    if gesture.opened:
        open_film(gesture.opened)
    if gesture.sorting:
        view_state.change(sort=gesture.sorting.sort, descending=gesture.sorting.descending)
        st.rerun()


def _size(query: Query, total: int, scoring: int) -> str:
    """Say how many films are listed, and how many have no score yet."""
    listed = f"More than {MOST:,} films" if query.text and total > MOST else formatting.films(total)
    return f"{listed}, {scoring:,} being scored" if scoring else listed


def footer(query: Query, size: str, number: int, pages: int) -> None:
    """Say how the list is ordered; offer its other pages."""
    order = "in the order chosen above; a third click on the column ends it"
    if not query.sort:
        hours = f"{query.waiting_cap.total_seconds() / 3600:g}"
        order = (
            "flagged first, then by tier, waiting time and probability; "
            f"a film waiting over {hours} hours rises to the top"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{size}; {order}.")
        st.space("stretch")
        if pages > 1:
            key = f"page_{number}_of_{pages}"  # the address says which page, not the widget
            st.pagination(
                pages,
                default=number,
                key=key,
                on_change=lambda: view_state.change(page=st.session_state[key]),
            )


@st.fragment
def worklist() -> None:
    """Show the list as it is now, again and again."""
    beside_search = title_and_search()
    now = resources.worklist().counts()
    counts(now, resources.worklist().reviews.read_since(_midnight()))
    query = view_state.query()
    total = resources.worklist().count(query, at_most=MOST + 1)
    with beside_search:
        open_next(query, total)
    filters(query)
    if total:
        films(query, total, now.in_progress)
    else:
        empty(now)
    auto_refresh("refresh_worklist", REFRESH_SECONDS)


worklist()
