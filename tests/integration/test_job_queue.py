"""Jobs in the worklist's database: asked for once, claimed once, ended by their own process."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cxr_app.errors import JobNotFoundError
from cxr_app.progress import Progress
from cxr_app.worklist import Job, JobState, Worklist

FOLDER = {"folder": "/archive/2026-10"}


def running(worklist: Worklist, pid: int = 7) -> Job:
    """A job that a process works on."""
    submitted = worklist.jobs.submit("backlog", FOLDER)
    assert worklist.jobs.claim("desk", ["backlog"]) is not None
    worklist.jobs.begun(submitted.id, pid, 1.5)
    return worklist.jobs.job(submitted.id)


def test_a_job_submitted_twice_is_one_until_it_has_ended(worklist: Worklist) -> None:
    first = worklist.jobs.submit("backlog", FOLDER)
    assert worklist.jobs.submit("backlog", FOLDER) == first
    other = worklist.jobs.submit("backlog", {"folder": "/archive/\udcff"})
    worklist.jobs.cancel(first.id)
    again = worklist.jobs.submit("backlog", FOLDER)
    assert [job.id for job in worklist.jobs.newest("backlog")] == [again.id, other.id, first.id]
    assert worklist.jobs.newest("backlog")[1].parameters == {"folder": "/archive/\udcff"}
    assert worklist.jobs.newest("retraining") == []


@pytest.mark.parametrize("machines", [1, 2, 3, 8])
def test_each_of_many_servers_gets_a_job_of_its_own_and_each_machine_one(
    worklist: Worklist, machines: int
) -> None:
    submitted = [worklist.jobs.submit("backlog", {"folder": f"/{number}"}) for number in range(3)]

    def claim(server: int) -> Job | None:
        return worklist.jobs.claim(f"desk {server % machines}", ["backlog"])

    with ThreadPoolExecutor(8) as servers:
        claimed = [job for job in servers.map(claim, range(8)) if job is not None]
    taken = sorted(job.id for job in claimed)
    assert taken == sorted(job.id for job in submitted[: min(machines, 3)])
    assert len({job.host for job in claimed}) == len(claimed)


def test_a_machine_begins_the_next_of_a_kind_once_the_last_has_ended(worklist: Worklist) -> None:
    kinds = ["backlog", "retraining"]
    job = running(worklist)
    for kind in reversed(kinds):
        worklist.jobs.submit(kind, {"folder": "/next"})
    other = worklist.jobs.claim("desk", kinds)
    assert other is not None
    assert other.kind == "retraining"
    worklist.jobs.cancel(job.id)  # it still runs
    assert worklist.jobs.claim("desk", kinds) is None
    worklist.jobs.end(job, JobState.CANCELLED, "", Progress())
    following = worklist.jobs.claim("desk", kinds)
    assert following is not None
    assert following.parameters == {"folder": "/next"}


def test_a_running_job_says_who_does_it_and_how_far_it_is(worklist: Worklist) -> None:
    job = running(worklist)
    progress = Progress(5, 10, {"flagged": 2}, 61.5)
    worklist.jobs.report(job, progress)
    (shown,) = worklist.jobs.running()
    assert (shown.host, shown.pid, shown.process_started) == ("desk", 7, 1.5)
    assert shown.progress == progress
    assert shown.started_at is not None


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_by_its_server(
    worklist: Worklist,
) -> None:
    waiting = worklist.jobs.submit("backlog", {"folder": "/other"})
    worklist.jobs.cancel(waiting.id)
    job = running(worklist)
    worklist.jobs.cancel(job.id)
    assert worklist.jobs.job(waiting.id).state is JobState.CANCELLED
    assert worklist.jobs.job(job.id).state is JobState.RUNNING
    assert worklist.jobs.job(job.id).cancelling


def test_an_ended_job_is_resumed_and_a_running_one_left_alone(
    worklist: Worklist,
) -> None:
    job = running(worklist)
    assert worklist.jobs.resume(job.id).state is JobState.RUNNING
    ended = Progress(5, 10, rate=3.0, exit_status=2, message="No room.")
    worklist.jobs.end(job, JobState.FAILED, "No room.", ended)
    worklist.jobs.resume(job.id, retry_failed=True)
    again = worklist.jobs.job(job.id)
    assert again.state is JobState.SCHEDULED
    assert again.parameters == {**FOLDER, "retry_failed": True}
    assert (again.progress, again.pid, again.message) == (Progress(5, 10), None, "")


def test_what_an_earlier_process_says_does_not_touch_its_successor(worklist: Worklist) -> None:
    first = running(worklist)
    worklist.jobs.end(first, JobState.INTERRUPTED, "", Progress())
    worklist.jobs.resume(first.id)
    worklist.jobs.claim("desk", ["backlog"])
    worklist.jobs.begun(first.id, 8, 2.5)
    worklist.jobs.report(first, Progress(1))
    worklist.jobs.end(first, JobState.COMPLETED, "", Progress(1))
    assert worklist.jobs.job(first.id).state is JobState.RUNNING
    assert worklist.jobs.job(first.id).progress == Progress()


def test_what_no_job_is_has_a_sentence(worklist: Worklist) -> None:
    for verb in (worklist.jobs.job, worklist.jobs.cancel, worklist.jobs.resume):
        with pytest.raises(JobNotFoundError, match="no such job"):
            verb("nowhere")


def test_a_heartbeat_is_recorded(worklist_url: str) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    worklist = Worklist.open(worklist_url, lambda: now[0])
    job = running(worklist)
    now[0] += timedelta(minutes=5)
    assert worklist.jobs.job(job.id).heartbeat_at == now[0] - timedelta(minutes=5)
    worklist.jobs.report(job, Progress(1))
    assert worklist.jobs.job(job.id).heartbeat_at == now[0]
    worklist.close()
