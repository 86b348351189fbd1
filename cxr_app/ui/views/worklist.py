"""The worklist: the most urgent films first; a click or Enter opens one."""

import streamlit as st

from cxr_app.audit.event import AuditKind
from cxr_app.ui import resources, view_state
from cxr_app.ui.auditing import note_once
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels import review_panel, worklist_controls
from cxr_app.ui.panels.dismissal_panel import dismissal_panel
from cxr_app.ui.panels.worklist_table import MOST_HITS, open_film, worklist_table
from cxr_app.worklist import OF_TWO_READERS, Counts, Query

REFRESH_SECONDS = 3
NOTHING = {
    "second_reading": "No film waits for a second reading by you.",
    "disagreement": "There is no film in which two readers differ.",
}
"""Why a list of films that two readers read is empty."""


def open_next(query: Query, total: int) -> None:
    """Offer the first film that no other reader has open; if there is none, the first of all."""
    wanted = st.button(
        "Open next", key="open_next", type="primary", shortcut="n", disabled=total == 0
    )
    if wanted and (entries := resources.worklist().page(query, limit=review_panel.STEPS)):
        open_film(next(filter(review_panel.is_free, entries), entries[0]).id)


def empty(now: Counts) -> None:
    """Explain why no film is listed, and what to do next."""
    query = view_state.query()
    if now.unread + now.read == 0:
        st.info("No films yet. Upload films and they appear here, most urgent first.")
        st.page_link("views/upload.py", label="Upload films", icon=":material/upload_file:")
    elif now.unread == 0 and view_state.is_unfiltered(query):
        st.success("All films have been read. New films appear here automatically.")
    elif query.state in OF_TWO_READERS and not query.text:
        st.success(NOTHING[query.state])
    else:
        st.info("No film matches. Remove a filter or change the search text.")


@st.fragment
def worklist() -> None:
    """Show the list, refreshing by itself."""
    title_row = worklist_controls.title_and_search()
    now = resources.worklist().counts()
    worklist_controls.counts(now)
    query = view_state.query()
    if query.text:
        mark = resources.audit().search_mark(query.text)
        note_once(AuditKind.SEARCHED, mark, patient=mark)
    total = resources.worklist().count(query, at_most=MOST_HITS + 1)
    with title_row:
        open_next(query, total)
    worklist_controls.filters(query)
    if query.state in ("unread", "needs_a_person"):
        dismissal_panel()
    if total:
        worklist_table(query, total, now.in_progress)
    else:
        empty(now)
    auto_refresh("refresh_worklist", REFRESH_SECONDS)


worklist()
