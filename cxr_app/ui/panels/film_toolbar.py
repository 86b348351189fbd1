"""The top of the film page: whose film it is, and the ways to other films and the worklist."""

from contextlib import suppress
from functools import partial

import streamlit as st

from cxr_app.errors import EntryNotFoundError
from cxr_app.ui import masking, resources, view_state
from cxr_app.ui.actions import attempt
from cxr_app.ui.panels import review_panel
from cxr_app.ui.panels.handover_panel import handover_forms
from cxr_app.ui.text import film_html, formatting
from cxr_app.worklist import Entry

Neighbours = tuple[Entry | None, Entry | None]
"""The films before and after one."""
OPENED = "opened_films"
"""Session key of the ids of the films that were opened, in order."""
LAST = "film_before"
"""Session key of the id of the film that was open last."""


def go_to_worklist() -> None:
    """Go back to the worklist with its filters and sort order."""
    st.switch_page("views/worklist.py", query_params=view_state.parameters())


def note_opened(entry_id: str) -> None:
    """Remember the films of this session in the order in which they were opened."""
    opened: list[str] = st.session_state.setdefault(OPENED, [])
    if entry_id not in opened:
        opened.append(entry_id)
    st.session_state[LAST] = entry_id


def last_film_button() -> None:
    """Lead back to the film that was open last, if any was."""
    if entry_id := st.session_state.get(LAST):
        st.button(
            "Open the last film again",
            key="last_film",
            on_click=lambda: st.query_params.update(film=entry_id),
        )


def neighbours(entry_id: str) -> Neighbours:
    """Return the film looked at before this one, and the one after it in the list.

    The first film of a session has the one before it in the list. Films open with other readers are
    skipped, apart from one that was looked at.
    """
    query = view_state.query()
    before, after = resources.worklist().neighbours(query, entry_id)
    return (
        _opened_before(entry_id)
        or review_panel.first_free(
            before, lambda film: resources.worklist().neighbours(query, film)[0]
        ),
        review_panel.first_free(
            after, lambda film: resources.worklist().neighbours(query, film)[1]
        ),
    )


def _opened_before(entry_id: str) -> Entry | None:
    """Return the film that this session opened before this one; None if it opened none."""
    opened: list[str] = st.session_state.get(OPENED, [])
    place = opened.index(entry_id) if entry_id in opened else len(opened)
    if place == 0:
        return None
    with suppress(EntryNotFoundError):
        return resources.worklist().entry(opened[place - 1])
    return None


def film_toolbar(entry: Entry, beside: Neighbours) -> None:
    """Show patient and study, and the buttons beside them."""
    before, after = beside
    with st.container(horizontal=True, vertical_alignment="center", key="film_top"):
        st.html(film_html.heading(masking.shown(entry)))
        with st.container(horizontal=True, width="content", gap="small"):
            _film_button("Previous", "p", before)
            _film_button("Next", "n", after)
            _read_button(entry)
            handover_forms(entry)
            if st.button("Worklist", key="to_worklist", shortcut="w"):
                go_to_worklist()


def newer_film(entry: Entry) -> None:
    """Warn that the patient has a newer film, and lead to it."""
    newer = resources.worklist().newer_films([entry]).get(entry.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="newer"):
        if newer is None:
            return
        day = formatting.escape_markdown(film_html.day(newer))
        st.markdown(f"△ **This patient has a newer film, of {day}.**")
        st.button(
            "Open the newer film",
            key=f"newer_{newer.id}",
            type="tertiary",
            on_click=lambda: st.query_params.update(film=newer.id),
        )


def _film_button(label: str, shortcut: str, film: Entry | None) -> None:
    st.button(
        label,
        key=label.lower(),
        shortcut=shortcut,
        disabled=film is None,
        on_click=lambda: st.query_params.update(film=film.id if film else ""),
    )


def _read_button(entry: Entry) -> None:
    read = entry.read_at is None
    st.button(
        "Mark as read" if read else "Mark as unread",
        key=f"mark_read_{entry.id}",
        shortcut="m",
        disabled=entry.film_deleted_at is not None,
        on_click=attempt,
        args=(partial(review_panel.mark_read, entry.id, read),),
    )
