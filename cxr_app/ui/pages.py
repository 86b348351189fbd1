"""The pages, in the order of the navigation, and who may open each."""

from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.errors import NotPermittedError
from cxr_app.permissions import Permission
from cxr_app.ui import access
from cxr_app.ui.auditing import note_once
from cxr_app.ui.text import formatting


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the navigation.

    Parameters
    ----------
    section
        Heading in the navigation.
    file
        Name of its file in `views`, without suffix; its address, too.
    icon
        Name of a Material symbol.
    needs
        Who may open it: see `permissions.WHO_MAY`.
    """

    section: str
    file: str
    title: str
    icon: str
    needs: Permission


PAGES = (
    PageEntry("Read", "worklist", "Worklist", "list_alt", Permission.OPEN_WORKLIST),
    PageEntry("Read", "film", "Film", "radiology", Permission.OPEN_FILM),
    PageEntry("Read", "upload", "Upload", "upload_file", Permission.UPLOAD),
    PageEntry("Run", "backlog", "Backlog", "inventory_2", Permission.OPEN_BACKLOG),
    PageEntry("Run", "retrain", "Retrain", "model_training", Permission.OPEN_RETRAIN),
    PageEntry("Run", "model", "Model", "monitoring", Permission.OPEN_MODEL),
    PageEntry("Run", "drift", "Drift", "ssid_chart", Permission.OPEN_DRIFT),
    PageEntry("Run", "connections", "Connections", "lan", Permission.OPEN_CONNECTIONS),
    PageEntry("Run", "audit", "Audit", "policy", Permission.OPEN_AUDIT),
)
FILM = "film"


def navigation() -> tuple[StreamlitPage, PageEntry]:
    """Show the pages that this person may open; return the one that is asked for."""
    start = next((each for each in PAGES if access.may(each.needs)), PAGES[0])
    made = {each: _made(each, is_start=each == start) for each in PAGES}
    sections: dict[str, list[StreamlitPage]] = {}
    for entry, page in made.items():
        sections.setdefault(entry.section, []).append(page)
    chosen = st.navigation(sections)
    return chosen, next(entry for entry, page in made.items() if page == chosen)


def run(page: StreamlitPage, entry: PageEntry) -> None:
    """Show a page, or why this person may not open it."""
    try:
        access.require(entry.needs)
    except NotPermittedError as error:
        note_once(AuditKind.REFUSED, entry.needs, outcome=AuditOutcome.REFUSED, detail=entry.needs)
        st.title(entry.title, anchor=False)
        st.error(formatting.escape_markdown(str(error)))
    else:
        page.run()


def _made(entry: PageEntry, *, is_start: bool) -> StreamlitPage:
    return st.Page(
        f"views/{entry.file}.py",
        title=entry.title,
        icon=f":material/{entry.icon}:",
        default=is_start,
        visibility="visible" if access.may(entry.needs) else "hidden",
    )
