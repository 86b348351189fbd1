"""Retrain: train a challenger on this site's films; a person decides whether to use it."""

from typing import Any

import streamlit as st

from cxr_app.jobs.kinds import RETRAINING
from cxr_app.ui import resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels import models_panel
from cxr_app.ui.panels.challenger_panel import challenger_panel
from cxr_app.ui.panels.job_list import job_list, shown_job
from cxr_app.ui.panels.rescore_panel import rescore_panel
from cxr_app.ui.panels.retrain_card import challenger_of, retrain_card
from cxr_app.ui.panels.retrain_form import retrain_form
from cxr_app.ui.text import retrain_text
from cxr_app.worklist import Job

ACTIVE_SECONDS = 2.0
QUIET_SECONDS = 5.0


def retraining_list(jobs: list[Job], shown: Job) -> None:
    """List the retrainings if there are several."""

    def row(job: Job) -> dict[str, Any]:
        comparison = challenger_of(job).comparison
        return retrain_text.retraining_row(job, comparison, shown=job.id == shown.id)

    job_list("Retrainings", retrain_text.RETRAININGS, jobs, row, shown)


@st.fragment
def retrainings() -> None:
    """Show the retrainings and models, refreshing by itself."""
    jobs = resources.worklist().jobs.newest(RETRAINING)
    if jobs:
        shown = shown_job(jobs)
        retrain_card(shown)
        challenger_panel(shown)
    else:
        st.caption(
            "No model has been retrained here yet. Choose films and a recipe; training curves "
            "and the comparison with the model in use appear here."
        )
    models_panel.models_panel()
    rescore_panel()
    if jobs:
        retraining_list(jobs, shown)
    active = any(job.is_active for job in jobs) or models_panel.LOADING in st.session_state
    auto_refresh("follow_retraining", ACTIVE_SECONDS if active else QUIET_SECONDS)


def page() -> None:
    """Show the page."""
    st.title("Retrain", anchor=False)
    left, right = st.columns([3, 7], gap="medium")
    with left:
        retrain_form()
    with right:
        retrainings()


page()
