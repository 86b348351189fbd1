"""The archives that an administrator enters: added, changed and removed."""

from functools import partial

import streamlit as st

from cxr_app.audit.event import AuditKind
from cxr_app.destination import Destination
from cxr_app.errors import SettingsError
from cxr_app.permissions import Permission
from cxr_app.ui import auditing, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem

PLACE = "destinations"
WRITTEN = "new_destination"


def destination_panel() -> None:
    """Let an administrator name a further archive."""
    show_problem(PLACE)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Further archive",
            key=WRITTEN,
            placeholder="ORTHANC@archive:4242 or https://archive/dicom-web",
            help="It gets report and picture of films that are scored from now on; with "
            "`=sr+sc+pr+pm+reading` behind the address other objects. An archive that is here "
            "already gets what is named now.",
        )
        st.button(
            "Add",
            key="add_destination",
            icon=":material/add:",
            on_click=attempt,
            args=(_add_written, PLACE),
        )


def remove_button(name: str) -> None:
    """Offer to remove an archive that was entered on the page."""
    st.button(
        "Remove",
        key=f"remove_{name}",
        icon=":material/delete:",
        help="What waits for it is given up; what was sent stays there.",
        on_click=attempt,
        args=(partial(_remove, name), PLACE),
    )


def _add_written() -> None:
    written = str(st.session_state.get(WRITTEN, "")).strip()
    if not written:
        return
    try:
        destination = Destination.parse(written)
    except ValueError as error:
        raise SettingsError(f"The archive cannot be added: {error}.") from None
    if destination.name in {each.name for each in resources.settings().destinations}:
        raise SettingsError(f"{destination.name} is in CXR_RESULTS_TO, which decides what it gets.")
    st.session_state[WRITTEN] = ""
    _add(written)


@guarded(Permission.NAME_ARCHIVES)
def _add(written: str) -> None:
    asker = auditing.asker()
    resources.worklist().destinations.add(written, asker.who)
    asker.note(AuditKind.ACTION, detail=f"archive added: {written}")
    resources.sender()


@guarded(Permission.NAME_ARCHIVES)
def _remove(name: str) -> None:
    asker = auditing.asker()
    resources.worklist().destinations.remove(name)
    asker.note(AuditKind.ACTION, detail=f"archive removed: {name}")
