"""A job that is resumed is as far as before until its new process knows how far it is."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cxr_app.jobs.kinds import BACKLOG, PROGRESS, RETRAINING, JobKind
from cxr_app.jobs.supervisor import Supervisor
from cxr_app.progress import Progress
from cxr_app.settings import Settings
from cxr_app.ui.text import job_text, retrain_text
from cxr_app.worklist import Job, JobState, Worklist

BEGIN = """
import json, os, sys, time
place, end = sys.argv[1:]
def say(**told):
    open(f"{place}/new", "w").write(json.dumps({"done": 0, "total": None, **told}))
    os.replace(f"{place}/new", f"{place}/progress.json")
if end != "silent":
    say()
if end == "refused":
    say(exit_status=2, message="No such model.")
    sys.exit(2)
if end == "crashed":
    os._exit(9)
open(f"{place}/begun", "w")
time.sleep(600)
"""
"""Begins as the command of a job does, and gets no further."""

PATIENCE_SECONDS = 60.0
FACTS = {"SCORED": 200, "FAILED": 16, "flagged": 30}
BEFORE = {
    BACKLOG: Progress(216, 500, FACTS, 9.0),
    RETRAINING: Progress(12, 30, {"learn": 700, "compare": 90}, 0.1),
}
TEXTS: dict[str, Callable[[Job], str]] = {
    BACKLOG: job_text.progress,
    RETRAINING: retrain_text.progress,
}


def command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    return [sys.executable, "-c", BEGIN, str(place), parameters["end"]]


@pytest.fixture
def supervisor(tmp_path: Path, worklist_url: str, worklist: Worklist) -> Iterator[Supervisor]:
    """A supervisor that checks on request; its remaining processes are ended."""
    settings = Settings(data_dir=tmp_path / "data", database_url=worklist_url)
    kind = JobKind(lambda _, asked: dict(asked), command)
    yours = Supervisor(settings, worklist, dict.fromkeys(BEFORE, kind))
    yield yours
    for job in worklist.jobs.running():
        worklist.jobs.cancel(job.id)
    while yours.poll():
        pass


def interrupted(worklist: Worklist, kind: str, progress: Progress) -> Job:
    """A job of which some is done, and whose process is gone."""
    job = worklist.jobs.submit(kind, {"end": ""})
    worklist.jobs.claim("elsewhere", [kind])
    worklist.jobs.begun(job.id, 7, 1.0)
    worklist.jobs.end(worklist.jobs.job(job.id), JobState.INTERRUPTED, "", progress)
    return worklist.jobs.job(job.id)


def wait_until(supervisor: Supervisor, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline
        supervisor.poll()
        time.sleep(0.05)


@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("cancelled", JobState.CANCELLED),
        ("killed", JobState.INTERRUPTED),
        ("crashed", JobState.INTERRUPTED),
        ("refused", JobState.FAILED),
    ],
)
def test_what_was_done_is_still_shown_where_a_resumed_job_ends_early(
    worklist: Worklist, supervisor: Supervisor, kind: str, end: str, state: JobState
) -> None:
    before = interrupted(worklist, kind, BEFORE[kind])
    text = TEXTS[kind](before)

    def now() -> Job:
        return worklist.jobs.job(before.id)

    supervisor.resume(before.id, end=end)
    assert TEXTS[kind](now()) == text
    if end in ("cancelled", "killed"):
        wait_until(supervisor, (supervisor.place(before.id) / "begun").exists)
        supervisor.poll()
        assert now().state is JobState.RUNNING
        assert TEXTS[kind](now()) == text
        assert job_text.time_left(now()) == ""
    if end == "cancelled":
        supervisor.cancel(before.id)
    elif end == "killed":
        os.kill(now().pid or 0, signal.SIGKILL)
    wait_until(supervisor, lambda: not now().is_active)
    assert now().state is state
    assert TEXTS[kind](now()) == text
    shown = now().progress
    assert (shown.done, shown.total, shown.counts) == (
        BEFORE[kind].done,
        BEFORE[kind].total,
        BEFORE[kind].counts,
    )


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_job_that_had_ended_by_itself_ends_as_its_new_process_does(
    worklist: Worklist, supervisor: Supervisor, status: int
) -> None:
    """The new one is stopped before it has written anything."""
    ended = Progress(500, 500, FACTS, 9.0, exit_status=status, message="No such model.")
    job = interrupted(worklist, BACKLOG, ended)
    supervisor.resume(job.id, end="silent")
    assert job_text.state(worklist.jobs.job(job.id)) == "waiting"
    wait_until(supervisor, (supervisor.place(job.id) / "begun").exists)
    supervisor.poll()
    assert job_text.state(worklist.jobs.job(job.id)) == "running"
    supervisor.cancel(job.id)
    wait_until(supervisor, lambda: not worklist.jobs.job(job.id).is_active)
    assert worklist.jobs.job(job.id).state is JobState.CANCELLED
    assert not (supervisor.place(job.id) / PROGRESS).exists()
