"""The reader's own views of the list: filters, order and columns under a name."""

import time
from functools import partial

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, resources, view_state
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.text.formatting import escape_markdown
from cxr_app.worklist import LONGEST_NAME, SavedView

TABLE = "films"
"""Widget key of the list's table, which says the reader's columns."""
WANTED = "columns_wanted"
"""Session key of the columns of the view that the reader chose last, with the time of that."""
NAME = "view_name"


def saved_views() -> None:
    """Offer the reader's views, and to keep what is shown now as one."""
    with st.popover("Views", help="Filters, order and columns under a name"):
        views = resources.worklist().room.views.of_reader(current_reader.name_if_known())
        if not views:
            st.caption("No view saved yet.")
        for view in views:
            _view(view)
        st.text_input("Save this view as", key=NAME, max_chars=LONGEST_NAME, placeholder="Name")
        st.caption("Keeps filters, order and columns, for you alone; the search text is not kept.")
        st.button("Save the view", key="save_view", on_click=_save)


def columns_wanted() -> dict[str, object] | None:
    """Return the columns of the view that was chosen last; None if none was."""
    wanted: dict[str, object] | None = st.session_state.get(WANTED)
    return wanted


def _view(view: SavedView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(escape_markdown(view.name), key=f"view_{view.name}", on_click=_show, args=(view,))
        st.button(
            "Delete",
            key=f"delete_view_{view.name}",
            type="tertiary",
            help=f"Delete the view {escape_markdown(view.name)}",
            on_click=attempt,
            args=(partial(_remove, view.name),),
        )


def _show(view: SavedView) -> None:
    st.session_state[WANTED] = {"stamp": time.time(), **view.columns}
    view_state.show(view.parameters)


def _save() -> None:
    """Keep the view; the field is emptied first: nothing may touch the session after recording."""
    table = st.session_state.get(TABLE) or {}
    columns = table.get("columns") if isinstance(table, dict) else None
    name, shown = str(st.session_state.get(NAME) or ""), view_state.shown_view()
    st.session_state[NAME] = ""
    view = SavedView(name, shown, columns if isinstance(columns, dict) else {})
    attempt(partial(_keep, view))


@guarded(Permission.KEEP_VIEW)
def _keep(view: SavedView) -> None:
    resources.worklist().room.views.save(current_reader.name(), view)


@guarded(Permission.KEEP_VIEW)
def _remove(name: str) -> None:
    resources.worklist().room.views.remove(current_reader.name(), name)
