"""Two servers of one machine on one data folder: a kind of job runs once there."""

import psutil
import pytest

from cxr_app.jobs import supervisor as jobs_supervisor
from cxr_app.jobs.supervisor import Supervisor
from cxr_app.settings import Settings
from cxr_app.worklist import JobState, Worklist
from tests.integration.test_jobs import WORK_KINDS, counting, ended, wait_for, work
from tests.integration.test_jobs import settings as settings
from tests.integration.test_jobs import supervisor as supervisor


def test_of_two_servers_that_end_one_job_at_once_only_one_begins_the_next(
    worklist: Worklist,
    supervisor: Supervisor,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both have read the list of running jobs before the process is ended."""
    first = wait_for(worklist, supervisor, work(supervisor, 1000, 0.1), counting)
    waiting = [work(supervisor, steps, 0.1) for steps in (1001, 1002)]
    other = Supervisor(settings, worklist, WORK_KINDS)

    def end_all_and_let_the_other_poll(process: psutil.Process) -> None:
        monkeypatch.setattr(jobs_supervisor, "_end_all", end_all)
        end_all(process)
        other.poll()

    end_all = jobs_supervisor._end_all
    monkeypatch.setattr(jobs_supervisor, "_end_all", end_all_and_let_the_other_poll)
    supervisor.cancel(first.id)
    supervisor.poll()
    states = [worklist.jobs.job(job.id).state for job in waiting]
    assert states == [JobState.RUNNING, JobState.SCHEDULED]
    for job in reversed(waiting):
        other.cancel(job.id)
    wait_for(worklist, other, waiting[0], ended)
