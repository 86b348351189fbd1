"""The offer to score earlier films again, with the model in use."""

from functools import partial

import streamlit as st

from cxr_app.jobs.kinds import BACKLOG
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import job_text

PLACE = "rescore"


def rescore_panel() -> None:
    """Offer to score earlier films again if the model has been changed."""
    if not resources.worklist().promotions.newest():
        return
    jobs = resources.worklist().jobs.newest(BACKLOG)
    folders = list(dict.fromkeys(str(job.parameters["folder"]) for job in jobs))
    uploads = str(resources.settings().films_dir)
    with st.container(border=True, key="rescore", gap="small"):
        st.markdown("**Films scored before**")
        st.caption(
            "Each film keeps its score, threshold and model version until it is scored again. "
            "The film page lists all earlier scores."
        )
        show_problem(PLACE)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            chosen = st.selectbox(
                "Films",
                [uploads, *(folder for folder in folders if folder != uploads)],
                format_func=lambda each: (
                    "Uploaded films" if each == uploads else job_text.readable(each)
                ),
                key="rescore_folder",
            )
            st.button(
                "Score again",
                key="score_again",
                on_click=attempt,
                args=(partial(_score_again, chosen), PLACE),
            )


@guarded(Permission.SCORE_AGAIN)
def _score_again(folder: str) -> None:
    resources.supervisor().submit(BACKLOG, folder=folder)
    st.toast("Requested. See the Backlog page for progress.")
