"""The head of a job's card: title, status, and what can be done with the job now."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from cxr_app.jobs.kinds import BACKLOG, RETRAINING
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting
from cxr_app.worklist import Job

PLACE = "job"
BUTTON_WIDTH = 120
NEEDED = {BACKLOG: Permission.RUN_BACKLOG, RETRAINING: Permission.RETRAIN}
"""What a person needs for a job, by its kind."""


def start_job(kind: str, place: str, **parameters: Any) -> None:
    """Request a job and show it; report a refusal at `place`."""
    attempt(partial(_start, kind, parameters), place)


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


def needed_for(kind: str, *_: object, **__: object) -> Permission:
    """Return what a person needs to start, stop or resume a job of a kind."""
    return NEEDED[kind]


@guarded(needed_for)
def _start(kind: str, parameters: Mapping[str, Any]) -> None:
    st.query_params["job"] = resources.supervisor().submit(kind, **parameters).id


@guarded(needed_for)
def cancel_job(kind: str, job_id: str) -> None:
    """Stop a job."""
    resources.supervisor().cancel(job_id)


@guarded(needed_for)
def resume_job(kind: str, job_id: str, changed: Mapping[str, Any]) -> None:
    """Go on with a job, with changed parameters."""
    resources.supervisor().resume(job_id, **changed)


def _cancel_button(job: Job) -> None:
    st.button(
        "Cancel",
        key="cancel",
        disabled=job.cancelling,
        on_click=attempt,
        args=(partial(cancel_job, job.kind, job.id), PLACE),
        width=BUTTON_WIDTH,
    )


def _resume_button(job: Job, changed: Mapping[str, Any]) -> None:
    st.button(
        "Resume",
        key="resume",
        type="primary",
        on_click=attempt,
        args=(partial(resume_job, job.kind, job.id, changed), PLACE),
        width=BUTTON_WIDTH,
    )
