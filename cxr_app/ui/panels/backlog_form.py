"""The form of the Backlog page: which folder to score."""

import streamlit as st

from cxr_app.jobs.allowed_folders import offered_folders
from cxr_app.jobs.kinds import BACKLOG
from cxr_app.ui import resources
from cxr_app.ui.actions import show_problem
from cxr_app.ui.panels.job_card import start_job

PLACE = "score_folder"


def backlog_form() -> None:
    """Offer to score a folder, or explain how to allow one."""
    roots = resources.settings().backlog_roots
    if roots:
        _choose_folder([str(folder) for folder in offered_folders(roots)])
    else:
        _explain_setting()


def _explain_setting() -> None:
    st.info(
        "No folder can be scored from this page yet. An administrator sets "
        "`CXR_BACKLOG_FOLDERS` to the folders that hold films, for example "
        "`CXR_BACKLOG_FOLDERS=/archive:/import`, and restarts the server."
    )
    st.caption(
        "Any folder can be scored from the server's command line: "
        "`python -m training.batch FOLDER --out results.csv`."
    )


def _choose_folder(folders: list[str]) -> None:
    """Offer a text field for the folder, and a list of the allowed ones."""
    st.session_state.setdefault("folder", folders[0] if folders else "")
    left, middle, right = st.columns([5.4, 3, 2.2], vertical_alignment="bottom")
    left.text_input("Folder on the server", key="folder", placeholder="Full path on the server")
    middle.selectbox(
        "Available folders",
        folders,
        key="chosen_folder",
        index=None,
        placeholder="Choose one",
        on_change=_copy_choice,
    )
    right.button(
        "Score folder",
        key="score_folder",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        width="stretch",
    )
    show_problem(PLACE)
    st.caption(
        "All films in the folder and its subfolders are scored and added to the worklist. Films "
        "already scored by this model are skipped. Reading continues undisturbed."
    )


def _copy_choice() -> None:
    """Copy the chosen folder into the text field, where it can still be edited."""
    if st.session_state["chosen_folder"]:
        st.session_state["folder"] = st.session_state["chosen_folder"]


def _start() -> None:
    start_job(BACKLOG, PLACE, folder=str(st.session_state["folder"] or ""))
