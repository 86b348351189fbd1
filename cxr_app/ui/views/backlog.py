"""Backlog: a folder of the server into the worklist, overnight; how far it is, and what failed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from cxr_app.errors import JobError
from cxr_app.jobs.allowed_folders import offered_folders
from cxr_app.jobs.kinds import BACKLOG
from cxr_app.jobs.unscored import Refusal
from cxr_app.ui import masking, resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.film_table import film_table
from cxr_app.ui.panels.job_list import job_list, shown_job
from cxr_app.ui.text import formatting, job_text
from cxr_app.worklist import Job, JobState

ACTIVE_SECONDS = 1.0
QUIET_SECONDS = 5.0
PAGE_LENGTH = 100
LOOK = """<style>
.stMain [data-testid="stMetricValue"] { line-height: 1.2; }
.st-key-job [data-testid="stProgress"] { padding-top: 0.1rem; }
</style>"""


def may_not() -> None:
    """Say how this page is put to use."""
    st.info(
        "No folder may be scored from this page yet. Whoever runs the server sets "
        "`CXR_BACKLOG_FOLDERS` to the folders that hold films, for example "
        "`CXR_BACKLOG_FOLDERS=/archive:/import`, and starts the server again."
    )
    st.caption(
        "From the server's command line any folder can be scored: "
        "`python -m training.batch FOLDER --out results.csv`."
    )


def ask(folders: list[str]) -> None:
    """Offer to score a folder: one typed, or one chosen of those right below the allowed ones."""
    st.session_state.setdefault("folder", folders[0] if folders else "")
    left, middle, right = st.columns([5.4, 3, 2.2], vertical_alignment="bottom")
    left.text_input(
        "Folder on the server", key="folder", placeholder="The whole path, as the server sees it"
    )
    middle.selectbox(
        "Folders there",
        folders,
        key="chosen_folder",
        index=None,
        placeholder="Choose one",
        on_change=choose,
    )
    right.button(
        "Score folder",
        key="score_folder",
        type="primary",
        icon=":material/play_arrow:",
        on_click=begin,
        width="stretch",
    )
    if problem := st.session_state.get("backlog_problem"):
        st.error(formatting.plain(problem))
    st.caption(
        "Every film at any depth is scored and entered in the worklist. A film that this model "
        "has scored before is not scored again. Reading goes on undisturbed."
    )


def choose() -> None:
    """Take the folder that was chosen for the one to score; it can still be changed by hand."""
    if st.session_state["chosen_folder"]:
        st.session_state["folder"] = st.session_state["chosen_folder"]


def begin() -> None:
    """Ask for the folder that is chosen now to be scored, and show that job."""

    def start() -> None:
        folder = str(st.session_state["folder"] or "")
        st.query_params["job"] = resources.supervisor().ask(BACKLOG, folder=folder).id

    act(start)


def act(what: Callable[[], None]) -> None:
    """Do what a button says; what stands in the way is said on the page."""
    st.session_state["backlog_problem"] = ""
    try:
        what()
    except JobError as error:
        st.session_state["backlog_problem"] = str(error)


def card(job: Job) -> None:
    """Show one job: what it is, how far it is, what can be done with it."""
    with st.container(border=True, key="job", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            folder = formatting.plain(job_text.readable(job.parameters["folder"]))
            st.markdown(f"**{folder}**  \n:grey[{formatting.plain(job_text.standing(job))}]")
            st.space("stretch")
            buttons(job)
        if job.state is JobState.FAILED:
            st.error(
                formatting.plain(f"{job.message} To begin anew, score the folder once more above.")
            )
        elif job.message:
            st.warning(formatting.plain(job.message))
        st.progress(job_text.share(job), formatting.plain(job_text.amount(job)))
        names = job_text.counts(job)
        for column, (name, number) in zip(st.columns(len(names)), names.items(), strict=True):
            column.metric(name, number)


def buttons(job: Job) -> None:
    """Offer what can be done with a job now."""
    supervisor = resources.supervisor()
    if job.is_active:
        st.button(
            "Cancel",
            key="cancel",
            disabled=job.cancelling,
            on_click=partial(act, partial(supervisor.cancel, job.id)),
            width=120,
        )
    elif job.state is not JobState.COMPLETED:
        st.button(
            "Resume",
            key="resume",
            type="primary",
            on_click=partial(act, partial(supervisor.ask_again, job.id, retry_failed=False)),
            width=120,
        )


def not_scored(job: Job) -> None:
    """List what has no probability, with the reason; offer to try again and to take it along."""
    refusals = resources.refusals(job.id).refusals()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader("Not scored", anchor=False)
        st.space("stretch")
        failed = job.progress.counts.get("FAILED", 0)
        st.button(
            "Retry failed",
            key="retry_failed",
            icon=":material/refresh:",
            disabled=job.is_active or not failed,
            help="Reads the files again that could not be read.",
            on_click=partial(
                act, partial(resources.supervisor().ask_again, job.id, retry_failed=True)
            ),
        )
        results = resources.supervisor().results(job.id)
        st.download_button(
            "Results as CSV",
            results.read_bytes,
            file_name="results.csv",
            mime="text/csv",
            key="download",
            icon=":material/download:",
            disabled=not results.exists() or masking.is_on(),
            help="It names files and accession numbers: unmask identities to take it along."
            if masking.is_on()
            else None,
            on_click="ignore",
        )
    if refusals:
        list_refusals(job, refusals)
    elif job.state is JobState.COMPLETED:
        st.caption("Every film of this folder was scored. The worklist shows them in their order.")
    else:
        st.caption("Nothing so far. A film that is rejected or fails appears here with its reason.")


def list_refusals(job: Job, refusals: list[Refusal]) -> None:
    """Show a page of what has no probability; a click opens the film where there is one."""
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
        height="max(13rem, calc(100dvh - 47rem))",
    )
    for refusal in part:
        if gesture.opened == job_text.row_id(refusal):
            open_film(refusal)


def open_film(refusal: Refusal) -> None:
    """Go to the film of a refusal; a file that could not even be opened has none."""
    entry = resources.worklist().entry_by_sha256(refusal.sha256)
    if entry is None:
        st.toast("This file could not be read, so there is no film to show.")
    else:
        st.switch_page("views/film.py", query_params={"film": entry.id})


def row(shown: Job, job: Job) -> dict[str, Any]:
    """Say a line of the list of jobs."""
    return job_text.job_row(job, job.id == shown.id)


@st.fragment
def jobs_now() -> None:
    """Show how the jobs are, again and again."""
    jobs = resources.worklist().jobs.newest(BACKLOG)
    if jobs:
        shown = shown_job(jobs)
        card(shown)
        not_scored(shown)
        job_list("Jobs", job_text.JOBS, jobs, partial(row, shown), shown)
    active = any(job.is_active for job in jobs)
    auto_refresh("follow_jobs", ACTIVE_SECONDS if active else QUIET_SECONDS)


def page() -> None:
    """Show the page."""
    st.html(LOOK)
    st.title("Backlog", anchor=False)
    roots = resources.settings().backlog_roots
    if roots:
        ask([str(folder) for folder in offered_folders(roots)])
    else:
        may_not()
    jobs_now()


page()
