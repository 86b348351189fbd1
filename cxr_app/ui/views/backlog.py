"""Backlog: score a folder of the server overnight, and follow its progress and failures."""

from functools import partial

import streamlit as st

from cxr_app.jobs.kinds import BACKLOG
from cxr_app.ui import resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels.backlog_form import backlog_form
from cxr_app.ui.panels.job_card import job_head
from cxr_app.ui.panels.job_list import job_list, shown_job
from cxr_app.ui.panels.retention_panel import retention_panel
from cxr_app.ui.panels.unscored_panel import unscored_panel
from cxr_app.ui.text import formatting, job_text
from cxr_app.worklist import Job, JobState

ACTIVE_SECONDS = 1.0
QUIET_SECONDS = 5.0
STYLE = """<style>
.stMain [data-testid="stMetricValue"] { line-height: 1.2; }
.st-key-job [data-testid="stProgress"] { padding-top: 0.1rem; }
</style>"""


def backlog_card(job: Job) -> None:
    """Show state, progress and counts of a backlog."""
    with st.container(border=True, key="job", gap="small"):
        folder = job_text.readable(job.parameters["folder"])
        resume_with = None if job.state is JobState.COMPLETED else {"retry_failed": False}
        job_head(job, folder, job_text.status(job, show_rate=True), resume_with=resume_with)
        if job.state is JobState.FAILED:
            st.error(formatting.escape_markdown(job_text.failure(job.message)))
        elif job.message:
            st.warning(formatting.escape_markdown(job.message))
        progress = formatting.escape_markdown(job_text.progress(job))
        st.progress(job_text.fraction_done(job), progress)
        counts = job_text.counts(job)
        for column, (name, number) in zip(st.columns(len(counts)), counts.items(), strict=True):
            column.metric(name, number)


@st.fragment
def backlogs() -> None:
    """Show the backlogs, refreshing by itself."""
    jobs = resources.worklist().jobs.newest(BACKLOG)
    if jobs:
        shown = shown_job(jobs)
        backlog_card(shown)
        unscored_panel(shown)
        row = partial(_row, shown)
        job_list("Jobs", job_text.JOBS, jobs, row, shown)
    active = any(job.is_active for job in jobs)
    auto_refresh("follow_jobs", ACTIVE_SECONDS if active else QUIET_SECONDS)


def _row(shown: Job, job: Job) -> dict[str, object]:
    return job_text.backlog_row(job, shown=job.id == shown.id)


def page() -> None:
    """Show the page."""
    st.html(STYLE)
    st.title("Backlog", anchor=False)
    retention_panel()
    backlog_form()
    backlogs()


page()
