"""The head of a job's card: title, status, and what can be done with the job now."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting
from cxr_app.worklist import Job

PLACE = "job"
BUTTON_WIDTH = 120


def start_job(kind: str, place: str, **parameters: Any) -> None:
    """Request a job and show it; report a refusal at `place`."""

    def start() -> None:
        st.query_params["job"] = resources.supervisor().submit(kind, **parameters).id

    attempt(start, place)


def job_head(job: Job, title: str, status: str, *, resume_with: Mapping[str, Any] | None) -> None:
    """Show title and status of a job, its buttons, and why the last click was refused.

    Parameters
    ----------
    resume_with
        Parameters that change if the job is resumed; None if it cannot be resumed.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shown_title, shown_status = map(formatting.escape_markdown, (title, status))
        st.markdown(f"**{shown_title}**  \n:grey[{shown_status}]")
        st.space("stretch")
        if job.is_active:
            _cancel_button(job)
        elif resume_with is not None:
            _resume_button(job, resume_with)
    show_problem(PLACE)


def _cancel_button(job: Job) -> None:
    st.button(
        "Cancel",
        key="cancel",
        disabled=job.cancelling,
        on_click=attempt,
        args=(partial(resources.supervisor().cancel, job.id), PLACE),
        width=BUTTON_WIDTH,
    )


def _resume_button(job: Job, changed: Mapping[str, Any]) -> None:
    st.button(
        "Resume",
        key="resume",
        type="primary",
        on_click=attempt,
        args=(partial(resources.supervisor().resume, job.id, **changed), PLACE),
        width=BUTTON_WIDTH,
    )
