"""A job as a reader sees it."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

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
    TableColumn("asked", "Asked for", 9),
    TableColumn("took", "Took", 7, kind="number"),
)

STATES = {
    JobState.SCHEDULED: "waiting",
    JobState.RUNNING: "running",
    JobState.COMPLETED: "done",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
    JobState.FAILED: "stopped",
}

COUNTS = {
    "Scored": ScoringState.SCORED.value,
    "Flagged": "flagged",
    "Rejected": ScoringState.REJECTED.value,
    "Failed": ScoringState.FAILED.value,
    "Done earlier": "earlier",
}
"""What a backlog counts, by the name that a reader knows it by."""


def state(job: Job) -> str:
    """Say where a job stands, in a word or two."""
    if job.state is JobState.RUNNING and job.cancelling:
        return "stopping"
    if job.state is JobState.RUNNING and job.progress.total is None and not job.progress.done:
        return "starting"
    return STATES[job.state]


def standing(job: Job) -> str:
    """Say where a job stands, since when, how fast it goes and how long it will take."""
    parts = [state(job)]
    if job.started_at is not None and job.ended_at is None:
        parts.append(f"started {clock(job.started_at)}")
    if job.ended_at is not None and job.started_at is not None:
        parts.append(f"ended {clock(job.ended_at)}")
        parts.append(f"took {formatting.duration(job.ended_at - job.started_at)}")
    if job.state is JobState.RUNNING and job.progress.rate > 0:
        parts.append(rate(job.progress.rate))
        if left := time_left(job):
            parts.append(f"{left} left")
    return " · ".join(parts)


def clock(moment: datetime) -> str:
    """Say a time of day as the server's clock shows it."""
    return f"{moment.astimezone():%H:%M}"


def rate(films_a_second: float) -> str:
    """Say a rate so that its number is not below 1."""
    if films_a_second >= 1:
        return f"{films_a_second:,.0f} films/s"
    return f"{films_a_second * 60:,.0f} films/min"


def time_left(job: Job) -> str:
    """Say how long it will take, where that is known."""
    if job.progress.total is None or job.progress.rate <= 0:
        return ""
    left = (job.progress.total - job.progress.done) / job.progress.rate
    return (
        f"about {formatting.duration(timedelta(seconds=left))}" if left >= 60 else "under a minute"
    )


def share(job: Job) -> float:
    """Say which part is done, 0 to 1."""
    return min(1.0, job.progress.done / job.progress.total) if job.progress.total else 0.0


def amount(job: Job) -> str:
    """Say how much is done."""
    done, total = job.progress.done, job.progress.total
    if total is not None:
        return f"{done:,} of {formatting.films(total)}"
    if done:
        return f"{formatting.films(done)}; the folder is still being searched"
    return "The model is being loaded" if job.state is JobState.RUNNING else "Not begun"


def counts(job: Job) -> dict[str, str]:
    """Give what is counted, by its name."""
    return {name: f"{job.progress.counts.get(key, 0):,}" for name, key in COUNTS.items()}


def job_row(job: Job, shown: bool) -> dict[str, Any]:
    """Say everything that the list of jobs shows."""
    counted = job.progress.counts
    refused = sum(counted.get(each.value, 0) for each in ScoringState) - counted.get("SCORED", 0)
    took = job.ended_at - job.started_at if job.ended_at and job.started_at else None
    return {
        "id": job.id,
        "tone": "" if shown or job.is_active else "quiet",
        "folder": readable(job.parameters["folder"]),
        "state": state(job),
        "films": f"{job.progress.done:,}",
        "flagged": f"{counted.get('flagged', 0):,}",
        "not_scored": f"{refused:,}",
        "asked": f"{job.requested_at.astimezone():%Y-%m-%d %H:%M}",
        "took": formatting.duration(took) if took is not None else "",
    }


def refusal_rows(
    refusals: Sequence[Refusal], file_name: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Say what could not be scored, and why; `file_name` says how files may be called now."""
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
    """Name a refusal in the page, where its path has no business."""
    return hashlib.sha256(refusal.source.encode("utf-8", "surrogatepass")).hexdigest()


def readable(name: str) -> str:
    """Replace what no page can show: bytes of a file name in no known encoding."""
    return name.encode("utf-8", "replace").decode("utf-8")
