"""The worklist: what should be read first is on top, and a click or Enter opens it."""

from datetime import UTC, datetime

import streamlit as st

from cxr_app.ui import address, resources, rows, wording
from cxr_app.ui.film_table import Sorting, film_table
from cxr_app.ui.pulse import pulse
from cxr_app.worklist import Counts, Query

PAGE_LENGTH = 50
REFRESH_SECONDS = 3
STATES = {"unread": "Unread", "needs_a_person": "Needs a person", "read": "Read", "all": "All"}
FLAGS = {"flagged": "Flagged", "not_flagged": "Not flagged"}


def open_film(entry_id: str) -> None:
    """Go to a film, and take the view along."""
    st.switch_page("views/film.py", query_params={**address.parameters(), "film": entry_id})


def title_and_search() -> None:
    """Name the page; offer to look for a film."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.title("Worklist", anchor=False)
    right.text_input(
        "Search",
        key=address.TEXT,
        type="search",
        live="300ms",
        max_chars=200,
        icon=":material/search:",
        placeholder="Patient, name, accession, description, file",
        label_visibility="collapsed",
        persist_state="session",
        on_change=address.change,
    )


def counts(now: Counts) -> None:
    """Say how the list stands."""
    unread, flagged, person, scoring, wait = st.columns(5)
    unread.metric("Unread", f"{now.unread:,}")
    flagged.metric("Flagged, unread", f"{now.flagged_unread:,}")
    person.metric("Needs a person", f"{now.needs_a_person:,}")
    scoring.metric("Being scored", f"{now.in_progress:,}")
    wait.metric("Longest wait", wording.duration(now.longest_wait) if now.longest_wait else "–")


def filters(query: Query, total: int) -> None:
    """Offer the parts of the list, and the next film."""
    st.session_state["state"] = query.state
    st.session_state["flag"] = None if query.flag == "any" else query.flag
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "State",
            STATES,
            format_func=STATES.__getitem__,
            key="state",
            required=True,
            label_visibility="collapsed",
            on_change=lambda: address.change(state=st.session_state["state"]),
        )
        st.pills(
            "Flag",
            FLAGS,
            format_func=FLAGS.__getitem__,
            key="flag",
            label_visibility="collapsed",
            on_change=lambda: address.change(flag=st.session_state["flag"] or "any"),
        )
        st.space("stretch")
        wanted = st.button(
            "Open next", key="open_next", type="primary", shortcut="n", disabled=total == 0
        )
    if wanted and (top := resources.worklist().page(query, limit=1)):
        open_film(top[0].id)


def empty(now: Counts) -> None:
    """Say why nothing is listed, and what to do next."""
    if now.unread + now.read == 0:
        st.info("No films yet. Upload films and they appear here, the most urgent on top.")
        st.page_link("views/upload.py", label="Upload films", icon=":material/upload_file:")
    elif now.unread == 0 and address.query() == Query(waiting_cap=address.query().waiting_cap):
        st.success("Every film has been read. New films appear here by themselves.")
    else:
        st.info("No film matches. Take away a filter or change the search text.")


def films(query: Query, total: int) -> None:
    """Show one page of the list and open what is chosen."""
    pages = -(-total // PAGE_LENGTH)
    number = min(address.page_number(), pages)
    entries = resources.worklist().page(query, (number - 1) * PAGE_LENGTH, PAGE_LENGTH)
    now = datetime.now(UTC)
    gesture = film_table(
        "films",
        rows.NEEDS_A_PERSON if query.state == "needs_a_person" else rows.WORKLIST,
        [rows.row(entry, now) for entry in entries],
        label="Films",
        sorting=Sorting(query.sort, query.descending),
        height="max(16rem, calc(100dvh - 19rem))",
    )
    footer(query, total, number, pages)
    if gesture.opened:
        open_film(gesture.opened)
    if gesture.sorting:
        address.change(sort=gesture.sorting.sort, descending=gesture.sorting.descending)
        st.rerun()


def footer(query: Query, total: int, number: int, pages: int) -> None:
    """Say how the list is ordered; offer its other pages."""
    order = "in the order chosen above; a third click on the column ends it"
    if not query.sort:
        hours = f"{query.waiting_cap.total_seconds() / 3600:g}"
        order = (
            "flagged first, then by tier, waiting time and probability; "
            f"a film waiting over {hours} hours rises to the top"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{wording.films(total)}, {order}.")
        st.space("stretch")
        if pages > 1:
            key = f"page_{number}_of_{pages}"  # the address says which page, not the widget
            st.pagination(
                pages,
                default=number,
                key=key,
                on_change=lambda: address.change(page=st.session_state[key]),
            )


@st.fragment
def worklist() -> None:
    """Show the list as it is now, again and again."""
    title_and_search()
    now = resources.worklist().counts()
    counts(now)
    query = address.query()
    total = resources.worklist().count(query)
    filters(query, total)
    if total:
        films(query, total)
    else:
        empty(now)
    pulse("refresh_worklist", REFRESH_SECONDS)


worklist()
