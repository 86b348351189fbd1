"""A page that stopped because of a trouble that may pass is drawn again by itself.

A part that refreshes itself asks for its next drawing at its end, which an error keeps it from, and
a part below one that failed was not drawn at all. So the banner, which needs no database, has the
whole page drawn again.
"""

import streamlit as st

from cxr_app.errors import AuditError, EntryNotFoundError, ShortageError, WorklistError

STOPPED = "page_stopped"
"""Session key of whether the page has met such a trouble since it was drawn."""


def note_stop(error: Exception) -> bool:
    """Note that the page or a part of it stopped; return whether it will be drawn again."""
    passes = isinstance(error, WorklistError | AuditError | ShortageError)
    if not passes or isinstance(error, EntryNotFoundError):
        return False
    st.session_state[STOPPED] = True
    return True


def begin_page() -> None:
    """Forget what happened before: the page is being drawn again."""
    st.session_state.pop(STOPPED, None)


def rerun_if_stopped() -> None:
    """Draw the whole page again if it, or a part of it, has stopped."""
    if st.session_state.pop(STOPPED, False):
        st.rerun()
