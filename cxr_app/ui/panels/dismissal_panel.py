"""The files that are no chest films: marked as read all at once, with a way back."""

from collections.abc import Callable

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.text import formatting
from cxr_app.worklist import Dismissal

DISMISSED = "dismissed"
"""Session key of this reader's last dismissal."""


def dismissal_panel() -> None:
    """Offer to mark the files as read or, after that, to undo it."""
    dismissal: Dismissal | None = st.session_state.get(DISMISSED)
    waiting = resources.worklist().dismissals.waiting()
    if not waiting and dismissal is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="dismissal"):
        if waiting:
            st.caption(
                f"{formatting.files(waiting)} of another kind (other modality, body part or "
                "format) at the end of this list."
            )
            _button("Mark these as read", "dismiss", _dismiss)
        if dismissal is not None:
            st.caption(f"{formatting.files(dismissal.files)} marked as read.")
            _button("Undo", "undismiss", _undo)


def _button(label: str, key: str, action: Callable[[], None]) -> None:
    st.button(label, key=key, type="tertiary", on_click=attempt, args=(action,))


@guarded(Permission.DISMISS)
def _dismiss() -> None:
    reader = current_reader.name()
    st.session_state[DISMISSED] = resources.worklist().dismissals.dismiss(reader)


@guarded(Permission.DISMISS)
def _undo() -> None:
    resources.worklist().dismissals.undo(st.session_state[DISMISSED])
    del st.session_state[DISMISSED]
