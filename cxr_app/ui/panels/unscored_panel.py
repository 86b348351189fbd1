"""The films that a backlog could not score, each with its reason."""

from functools import partial

import streamlit as st

from cxr_app.jobs.unscored import Refusal
from cxr_app.permissions import Permission
from cxr_app.ui import masking, resources
from cxr_app.ui.access import exporting
from cxr_app.ui.actions import attempt
from cxr_app.ui.components.film_table import TableLook, film_table
from cxr_app.ui.panels import job_card
from cxr_app.ui.text import job_text
from cxr_app.worklist import Job, JobState

PAGE_LENGTH = 100


def unscored_panel(job: Job) -> None:
    """List the films without a score; offer to retry them and to download all results."""
    refusals = resources.refusals(job.id).refusals()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header("Not scored", anchor=False)
        st.space("stretch")
        _retry_button(job)
        _download_button(job)
    if refusals:
        _list(job, refusals)
    elif job.state is JobState.COMPLETED:
        st.caption("Every film in this folder was scored. See the worklist for the results.")
    else:
        st.caption("None so far. Rejected and failed films appear here with the reason.")


def _retry_button(job: Job) -> None:
    retry = partial(job_card.resume_job, job.kind, job.id, {"retry_failed": True})
    st.button(
        "Retry failed",
        key="retry_failed",
        icon=":material/refresh:",
        disabled=job.is_active or not job.progress.counts.get("FAILED", 0),
        help="Tries again to read the files that could not be read.",
        on_click=attempt,
        args=(retry, job_card.PLACE),
    )


def _download_button(job: Job) -> None:
    results = resources.supervisor().results(job.id)
    st.download_button(
        "Results as CSV",
        exporting(Permission.EXPORT_RESULTS, results.read_bytes),
        file_name="results.csv",
        mime="text/csv",
        key="download",
        icon=":material/download:",
        disabled=not results.exists() or masking.is_on(),
        help="Contains file names and accession numbers. Unmask identities to download it."
        if masking.is_on()
        else None,
        on_click="ignore",
    )


def _list(job: Job, refusals: list[Refusal]) -> None:
    """Show a page of the list; a click opens the film if there is one."""
    pages = -(-len(refusals) // PAGE_LENGTH)
    number = 1
    if pages > 1:
        number = st.pagination(pages, key=f"refusals_{job.id}")
    part = refusals[(number - 1) * PAGE_LENGTH : number * PAGE_LENGTH]
    gesture = film_table(
        f"not_scored_{job.id}",
        job_text.REFUSALS,
        job_text.refusal_rows(part, masking.file_name),
        label="Not scored",
        look=TableLook("max(13rem, calc(100dvh - 47rem))"),
    )
    for refusal in part:
        if gesture.opened == job_text.row_id(refusal):
            _open_film(refusal)


def _open_film(refusal: Refusal) -> None:
    """Go to the film; a file that could not be opened at all has none."""
    entry = resources.worklist().entry_by_sha256(refusal.sha256)
    if entry is None:
        st.toast("This file could not be read, so there is no film to show.")
    else:
        st.switch_page("views/film.py", query_params={"film": entry.id})
