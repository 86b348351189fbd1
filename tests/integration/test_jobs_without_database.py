"""Jobs whose database goes away while they begin, run or end."""

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cxr_app.errors import WorklistAwayError, WorklistError
from cxr_app.jobs import supervisor as jobs_supervisor
from cxr_app.jobs.supervisor import DEATHS, SILENCE, Supervisor
from cxr_app.settings import Settings
from cxr_app.worklist import JobState, Worklist
from tests.integration.test_jobs import WORK_KINDS, counting, ended, wait_for, work
from tests.integration.test_jobs import settings as settings
from tests.integration.test_jobs import supervisor as supervisor


def fail_once(monkeypatch: pytest.MonkeyPatch, target: object, name: str) -> None:
    """Let a call meet a database that is away, the first time."""
    ask = getattr(target, name)

    def away(*_: Any) -> None:
        monkeypatch.setattr(target, name, ask)
        raise WorklistAwayError

    monkeypatch.setattr(target, name, away)


def test_a_job_whose_begin_cannot_be_recorded_runs_once_and_is_followed(
    worklist: Worklist, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(supervisor, 1000, 0.05)
    fail_once(monkeypatch, worklist.jobs, "begun")
    with pytest.raises(WorklistError):
        supervisor.poll()
    assert worklist.jobs.job(job.id).pid is None
    process = supervisor._children[job.id].pid
    monkeypatch.setattr(jobs_supervisor, "HEARTBEAT", timedelta(0))
    assert wait_for(worklist, supervisor, job, counting).pid == process


def test_a_job_whose_begin_was_recorded_after_all_is_left_to_who_resumes_it(
    worklist: Worklist, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database recorded it, and went away before it said so."""
    record = worklist.jobs.begun

    def begun(*given: Any) -> None:
        monkeypatch.setattr(worklist.jobs, "begun", record)
        record(*given)
        raise WorklistAwayError

    monkeypatch.setattr(worklist.jobs, "begun", begun)
    job = work(supervisor)
    with pytest.raises(WorklistError):
        supervisor.poll()
    wait_for(worklist, supervisor, job, ended)
    supervisor.resume(job.id)
    assert worklist.jobs.claim(socket.gethostname(), WORK_KINDS) is not None  # another server here
    supervisor.poll()
    assert worklist.jobs.job(job.id).pid is None


def test_a_job_that_cannot_be_prepared_begins_once_the_database_is_back(
    worklist: Worklist, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def prepare(*_: object) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise WorklistAwayError

    yours = Supervisor(settings, worklist, {"work": replace(WORK_KINDS["work"], prepare=prepare)})
    job = work(yours)
    with pytest.raises(WorklistError):
        yours.poll()
    monkeypatch.setattr(jobs_supervisor, "HEARTBEAT", timedelta(0))
    assert wait_for(worklist, yours, job, ended).state is JobState.COMPLETED
    assert len(attempts) == 2


def test_how_a_job_ended_is_recorded_once_the_database_is_back(
    worklist: Worklist, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(supervisor, status=9)
    supervisor.poll()
    supervisor._children[job.id].wait()
    fail_once(monkeypatch, worklist.jobs, "end")
    with pytest.raises(WorklistError):
        supervisor.poll()
    found = wait_for(worklist, supervisor, job, ended)
    assert (found.state, "ended with status 9" in found.message) == (JobState.INTERRUPTED, True)
    assert (supervisor.place(job.id) / DEATHS).read_text().count("\n") == 1


def test_no_machine_has_fallen_silent_that_could_not_report(
    worklist_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two servers, one may be back at the database before the other."""
    then = datetime.now(UTC) - SILENCE - timedelta(seconds=1)
    elsewhere = Worklist.open(worklist_url, lambda: then)
    supervisor = Supervisor(settings, elsewhere, WORK_KINDS)
    job = work(supervisor)
    elsewhere.jobs.claim("elsewhere", WORK_KINDS)
    elsewhere.jobs.begun(job.id, os.getpid(), 1.0)
    clock = [1_000.0]
    monkeypatch.setattr(jobs_supervisor, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(supervisor._wake, "wait", lambda _: supervisor._stop.set())
    fail_once(monkeypatch, elsewhere.jobs, "running")
    supervisor._run()
    supervisor.poll()
    assert elsewhere.jobs.job(job.id).state is JobState.RUNNING
    clock[0] += SILENCE.total_seconds() + 1
    supervisor.poll()
    assert elsewhere.jobs.job(job.id).state is JobState.INTERRUPTED
    elsewhere.close()
