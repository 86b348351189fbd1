"""Run what a button asks for, and report a refusal where the reader is looking."""

from collections.abc import Callable

import streamlit as st

from cxr_app.errors import CxrError
from cxr_app.ui.text import formatting

PROBLEM = "problem"
"""Session key of the last refusal and of the place that shows it."""


def attempt(action: Callable[[], object], place: str = "") -> None:
    """Run an action; report a refusal at `place`, or as a toast if none is given."""
    st.session_state[PROBLEM] = ("", "")
    try:
        action()
    except CxrError as error:
        if place:
            st.session_state[PROBLEM] = (place, str(error))
        else:
            message = formatting.escape_markdown(str(error))
            st.toast(message, icon=":material/error:", duration="long")


def show_problem(place: str) -> None:
    """Show why the last action at this place was refused, if it was."""
    refused_at, message = st.session_state.get(PROBLEM, ("", ""))
    if refused_at == place and message:
        st.error(formatting.escape_markdown(message))
