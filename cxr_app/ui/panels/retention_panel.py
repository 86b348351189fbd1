"""The end of the films' retention time: what waits to be deleted, and a clock that has jumped."""

import streamlit as st

from cxr_app import display_text
from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting

PLACE = "retention"


def retention_panel() -> None:
    """Show what waits to be deleted; ask to confirm the clock if it has jumped."""
    show_problem(PLACE)
    status = resources.retention().status()
    if status is None:
        return
    if status.has_stopped and status.last_sweep is not None:
        st.warning(
            "No film is deleted: the server's clock shows "
            f"**{display_text.timestamp(status.now)}**, and films were last checked on "
            f"**{display_text.timestamp(status.last_sweep)}**. If the clock is right (the server "
            "was off in between), confirm it. If it is wrong, have it put right first."
        )
        st.button(
            "The clock is right", key="confirm_clock", on_click=attempt, args=(_confirm, PLACE)
        )
    elif status.marked:
        verb = "has" if status.marked == 1 else "have"
        st.caption(
            f"The retention time of {formatting.films(status.marked)} {verb} ended: deletion "
            "follows a day after it was noticed."
        )


@guarded(Permission.CONFIRM_CLOCK)
def _confirm() -> None:
    resources.retention().confirm_clock(current_reader.name())
