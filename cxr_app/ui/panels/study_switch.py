"""The switch that groups the list by study; the browser remembers it, as it does the columns."""

import streamlit as st

from cxr_app.ui import view_state
from cxr_app.ui.components.browser_storage import stored_in_browser


def study_switch() -> None:
    """Offer the list by study; a change returns to its first page."""
    st.session_state[view_state.BY_STUDY] = view_state.is_by_study()
    st.toggle(
        "By study",
        key=view_state.BY_STUDY,
        persist_state="session",
        help="One line for each study: its most urgent film. The others are on the film's page.",
        on_change=view_state.change,
    )
    stored_in_browser(view_state.REMEMBERED, "on" if view_state.is_by_study() else "off")
