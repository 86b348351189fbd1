"""Text and table rows for a background job and for the films it could not score."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from cxr_app import display_text
from cxr_app.jobs.unscored import Refusal
from cxr_app.outcome import ScoringState
from cxr_app.ui.components.film_table import TableColumn
from cxr_app.ui.text import formatting
from cxr_app.worklist import Job, JobState

REFUSALS = (
    TableColumn("state", "State", 6),
    TableColumn("reason", "Reason", 34),
    TableColumn("source", "File", 16),
)

JOBS = (
    TableColumn("folder", "Folder", 20),
    TableColumn("state", "State", 8),
    TableColumn("films", "Films", 6, kind="number"),
    TableColumn("flagged", "Flagged", 6, kind="number"),
    TableColumn("not_scored", "Not scored", 6, kind="number"),
    TableColumn("requested", "Requested", 9),
    TableColumn("took", "Duration", 7, kind="number"),
)

STATES = {
    JobState.SCHEDULED: "waiting",
    JobState.RUNNING: "running",
    JobState.COMPLETED: "done",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
    JobState.FAILED: "failed",
}

SCORED_BEFORE = "scored_before"
COUNTS = {
    "Already scored": SCORED_BEFORE,
    "Flagged": "flagged",
    "Rejected": ScoringState.REJECTED.value,
    "Failed": ScoringState.FAILED.value,
}
"""Labels of a backlog's counts, and their keys in the job's progress."""


def state(job: Job) -> str:
    """Return the state of a job in one word."""
    if job.state is JobState.RUNNING and job.cancelling:
        return "stopping"
    if job.state is JobState.RUNNING and job.progress.exit_status is not None:
        return "finishing"
    if job.state is JobState.RUNNING and job.progress.total is None and not job.progress.done:
        return "starting"
    return STATES[job.state]


def status(job: Job, *, show_rate: bool = False) -> str:
    """Return state, start, end and duration of a job and, while it runs, the time left."""
    parts = [state(job)]
    if job.started_at is not None and job.ended_at is None:
        parts.append(f"started {display_text.clock(job.started_at)}")
    if job.ended_at is not None and job.started_at is not None:
        parts.append(f"ended {display_text.clock(job.ended_at)}")
        parts.append(f"took {took(job)}")
    if job.state is JobState.RUNNING and job.progress.rate > 0:
        if show_rate:
            parts.append(rate(job.progress.rate))
        if left := time_left(job):
            parts.append(f"{left} left")
    return " · ".join(parts)


def failure(reason: str) -> str:
    """Return why a job failed that can be resumed."""
    return f"{reason} What is done is kept: put this right, then resume."


def rate(films_per_second: float) -> str:
    """Return a rate in films per second, or per minute if that is below 1."""
    if films_per_second >= 1:
        return f"{films_per_second:,.0f} films/s"
    return f"{films_per_second * 60:,.0f} films/min"


def time_left(job: Job) -> str:
    """Return the estimated time left; empty if it is unknown or nothing is left."""
    total, done, per_second = job.progress.total, job.progress.done, job.progress.rate
    if total is None or per_second <= 0 or done >= total:
        return ""
    left = (total - done) / per_second
    return (
        f"about {formatting.duration(timedelta(seconds=left))}" if left >= 60 else "under a minute"
    )


def took(job: Job) -> str:
    """Return the duration of a finished job; empty while it is unfinished."""
    if job.started_at is None or job.ended_at is None:
        return ""
    return formatting.duration(job.ended_at - job.started_at)


def fraction_done(job: Job) -> float:
    """Return the completed fraction in [0, 1]."""
    return min(1.0, job.progress.done / job.progress.total) if job.progress.total else 0.0


def progress(job: Job) -> str:
    """Return the text of a backlog's progress bar."""
    done, total = job.progress.done, job.progress.total
    if total is not None:
        return f"{done:,} of {formatting.films(total)}"
    if job.state is not JobState.RUNNING:
        judged = _judged(job)
        return f"{formatting.films(judged)} so far" if judged else "Not started"
    if done:
        return f"{formatting.films(done)} so far; still searching the folder"
    return "Loading the model"


def counts(job: Job) -> dict[str, str]:
    """Return a backlog's counts by label; all but the flagged ones add up to its films."""
    counted = job.progress.counts
    scored = counted.get(ScoringState.SCORED.value, 0) - counted.get(SCORED_BEFORE, 0)
    numbers = {"Scored": scored} | {name: counted.get(key, 0) for name, key in COUNTS.items()}
    return {name: f"{number:,}" for name, number in numbers.items()}


def _judged(job: Job) -> int:
    """Return the number of films of a backlog that have a result."""
    return sum(job.progress.counts.get(each.value, 0) for each in ScoringState)


def list_row(job: Job, *, shown: bool) -> dict[str, Any]:
    """Return the cells that every list of jobs has."""
    return {
        "id": job.id,
        "tone": "" if shown or job.is_active else "quiet",
        "state": state(job),
        "requested": display_text.timestamp(job.requested_at),
        "took": took(job),
    }


def backlog_row(job: Job, *, shown: bool) -> dict[str, Any]:
    """Return a row of the list of backlogs."""
    counted = job.progress.counts
    refused = _judged(job) - counted.get("SCORED", 0)
    return list_row(job, shown=shown) | {
        "folder": readable(job.parameters["folder"]),
        "films": f"{job.progress.done if job.progress.total is not None else _judged(job):,}",
        "flagged": f"{counted.get('flagged', 0):,}",
        "not_scored": f"{refused:,}",
    }


def refusal_rows(
    refusals: Sequence[Refusal], file_name: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return the rows of the films without a score; `file_name` masks names if necessary."""
    return [
        {
            "id": row_id(refusal),
            "tone": "",
            "state": refusal.state.value.lower(),
            "reason": readable(refusal.reason),
            "source": readable(file_name(refusal.source)),
        }
        for refusal in refusals
    ]


def row_id(refusal: Refusal) -> str:
    """Return an id for a refusal that does not reveal its path to the browser."""
    return hashlib.sha256(refusal.source.encode("utf-8", "surrogatepass")).hexdigest()


def readable(name: str) -> str:
    """Replace bytes of a file name that are not valid UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8")
