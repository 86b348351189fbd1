"""The card of a retraining: progress, training curves, and how the films are used."""

import streamlit as st

from cxr_app.jobs.retraining import Challenger
from cxr_app.ui import masking, resources
from cxr_app.ui.panels.job_card import job_head
from cxr_app.ui.panels.training_curves import training_curves
from cxr_app.ui.text import formatting, job_text, retrain_text
from cxr_app.worklist import Job, JobState

RESUMABLE = (JobState.CANCELLED, JobState.INTERRUPTED)
PATH_MASKED = (
    "The reason names a path, which may hold a patient's name. Unmask identities to see it."
)


def challenger_of(job: Job) -> Challenger:
    """Return the result of a retraining."""
    return Challenger(resources.supervisor().place(job.id))


def retrain_card(job: Job) -> None:
    """Show state and progress of a retraining."""
    with st.container(border=True, key="job", gap="small"):
        title = f"{job.parameters['recipe']} on {retrain_text.training_films(job)}"
        resume_with: dict[str, bool] | None = {} if _is_resumable(job) else None
        job_head(job, title, job_text.status(job), resume_with=resume_with)
        _show_message(job)
        progress = formatting.escape_markdown(retrain_text.progress(job))
        st.progress(retrain_text.fraction_done(job), progress)
        _curves(job)
        for sentence in retrain_text.film_use(job.progress.counts):
            st.caption(formatting.escape_markdown(sentence))


def _is_resumable(job: Job) -> bool:
    """Check whether it stopped, or failed after its films were chosen."""
    failed_later = job.state is JobState.FAILED and challenger_of(job).is_begun
    return job.state in RESUMABLE or failed_later


def _show_message(job: Job) -> None:
    """Show why a retraining failed or stopped."""
    if job.state is JobState.FAILED:
        reason = PATH_MASKED if masking.is_on() and "/" in job.message else job.message
        message = retrain_text.failure(job, reason, begun=_is_resumable(job))
        st.error(formatting.escape_markdown(message))
    elif job.message:
        st.warning(formatting.escape_markdown(job.message))


def _curves(job: Job) -> None:
    if epochs := challenger_of(job).epochs():
        st.plotly_chart(
            training_curves(epochs, job.progress.total),
            key="curves",
            config={"displayModeBar": False},
            alt="Training loss and AUROC by epoch",
        )
    elif job.is_active:
        st.caption("Training curves appear after the first epoch.")
