"""Jobs in processes of their own: started, followed and stopped by a thread of the server.

A process outlives the server that started it; the next server finds it by its id and start time. A
job's state is in the worklist's database, so every window and every server sees the same.

No queue library fits: Celery, RQ, Dramatiq and Huey need a broker or workers that run all the time,
beside the one command that starts the app; a job there is a function of a worker and ends with it,
whereas these take hours, must survive a restart of the server, and are stopped by their process.
"""

import logging
import math
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from cxr_app.errors import JobError, WorklistError
from cxr_app.film_store import make_private_folder
from cxr_app.jobs.child_environment import child_environment
from cxr_app.jobs.kinds import KINDS, PROGRESS, RESULTS, REVIEWED, JobKind
from cxr_app.progress import Progress
from cxr_app.settings import PROJECT, Settings
from cxr_app.worklist import Job, JobState, Worklist

logger = logging.getLogger(__name__)

LOG = "log.txt"
DEATHS = "deaths.txt"
"""File with one line for each unexpected end of a job's process: the pieces done until then."""
MAX_DEATHS = 3
"""Unexpected ends without any gain between them after which a job has failed."""

NICENESS = 19
"""Lowest priority: readers come first."""

BUSY_SECONDS = 1.0
IDLE_SECONDS = 5.0
"""Time between two polls, while a job runs and while none does."""

HEARTBEAT = timedelta(seconds=20)
SILENCE = timedelta(minutes=2)
"""Time without a report after which a job of another machine counts as dead."""

Ending = tuple[JobState, str, Progress]
"""State, message and progress of a job that has ended."""

CLOCK_SLACK_SECONDS = 5.0
STOP_SECONDS = 10.0


class Supervisor:
    """Runs the jobs of each kind one after the other, each in a process of its own at low priority.

    A retraining takes hours; a backlog does not wait for it.

    Parameters
    ----------
    settings
        Where jobs keep their files; passed on to their processes.
    worklist
        The worklist that the jobs belong to.
    kinds
        The kinds of jobs that can be requested.
    """

    def __init__(
        self, settings: Settings, worklist: Worklist, kinds: Mapping[str, JobKind] = KINDS
    ) -> None:
        self._settings = settings
        self._worklist = worklist
        self._jobs = worklist.jobs
        self._kinds = kinds
        self._host = socket.gethostname()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._claimed: set[str] = set()  # jobs whose begin is not recorded yet
        self._endings: dict[tuple[str, int | None], Ending] = {}  # not recorded yet
        self._away_until = -math.inf
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; running jobs continue, and the next server finds them."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def place(self, job_id: str) -> Path:
        """Return the folder of a job."""
        return self._settings.jobs_dir / job_id

    def results(self, job_id: str) -> Path:
        """Return the results file of a backlog."""
        return self.place(job_id) / RESULTS

    def submit(self, kind: str, **parameters: Any) -> Job:
        """Request a job.

        Raises
        ------
        JobError
            If it cannot be done.
        """
        job = self._jobs.submit(kind, self._kinds[kind].accept(self._settings, parameters))
        self._wake.set()
        return job

    def resume(self, job_id: str, **changed_parameters: Any) -> None:
        """Resume an ended job.

        Raises
        ------
        JobError
            If there is no such job.
        """
        self._jobs.resume(job_id, **changed_parameters)
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Request that a job stop.

        Raises
        ------
        JobError
            If there is no such job.
        """
        self._jobs.cancel(job_id)
        self._wake.set()

    def poll(self) -> bool:
        """Follow the jobs that run here, and start the oldest request of a kind that does not run.

        Returns
        -------
        bool
            Whether a job runs here.
        """
        running = self._jobs.running()
        busy = [job for job in running if self._follow(job)]
        self._forget_ended({job.id for job in running})
        job = self._jobs.claim(self._host, self._kinds)
        if job is not None:
            self._claimed.add(job.id)
            self._start(job)
        return bool(busy) or job is not None

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                busy = self.poll()
            except WorklistError as error:
                logger.warning("Jobs are not followed for a moment: %s", error)
                self._away_until = time.monotonic()
                busy = False
            self._wake.wait(BUSY_SECONDS if busy else IDLE_SECONDS)

    def _start(self, job: Job) -> None:
        """Start the process of a claimed job, or record why it cannot be started."""
        try:
            process = self._start_process(job)
        except JobError as error:
            self._jobs.end(job, JobState.FAILED, str(error), job.progress)
        except OSError as error:
            message = f"The server could not start it: {error.strerror}. Check its disk and memory."
            self._jobs.end(job, JobState.FAILED, message, job.progress)
        else:
            self._jobs.begun(job.id, process.pid, process.create_time())
        self._claimed.discard(job.id)

    def _start_process(self, job: Job) -> psutil.Process:
        if child := self._children.get(job.id):  # the database was away when it was to be recorded
            return psutil.Process(child.pid)
        kind = self._kinds[job.kind]
        place = self.place(job.id)
        parameters = kind.accept(self._settings, job.parameters)
        command = kind.command(parameters, place)
        make_private_folder(place)
        kind.prepare(self._worklist, parameters, place)
        (place / PROGRESS).unlink(missing_ok=True)
        with (place / LOG).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own command; the folder was checked
                command,
                cwd=PROJECT,
                env=child_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # signals that end the server do not reach its jobs
            )
        self._children[job.id] = child
        process = psutil.Process(child.pid)
        _lower_priority(process)
        return process

    def _follow(self, job: Job) -> bool:
        """Update what is recorded of a running job; return False if it no longer runs here."""
        silence = datetime.now(UTC) - (job.heartbeat_at or job.requested_at)
        if job.host != self._host:
            if silence > SILENCE and self._has_listened():
                message = f"The server {job.host}, which ran it, has fallen silent."
                self._jobs.end(job, JobState.INTERRUPTED, message, job.progress)
            return False
        if job.pid is None and job.id in self._claimed:
            self._start(job)
            return True
        if job.pid is None:  # another server of this machine is starting it, or has died
            return silence < HEARTBEAT or self._end(job)
        self._claimed.discard(job.id)  # its begin may have been recorded without a word
        process = self._process(job)
        if process is not None and job.cancelling:
            _end_all(process)
            process = None
        if process is None:
            return self._end(job)
        progress = self._progress(job)
        if progress != job.progress or silence > HEARTBEAT:
            self._jobs.report(job, progress)
        return True

    def _has_listened(self) -> bool:
        """Check whether other machines could have reported: not while the database was away."""
        return time.monotonic() - self._away_until > SILENCE.total_seconds()

    def _process(self, job: Job) -> psutil.Process | None:
        """Return the process of a job; None if it ended, even if its id is in use again."""
        if child := self._children.get(job.id):
            child.poll()  # an ended child stays in the process table until it is polled
        try:
            process = psutil.Process(job.pid)
            difference = process.create_time() - (job.process_started or 0.0)
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return None if ended or abs(difference) > CLOCK_SLACK_SECONDS else process

    def _forget_ended(self, running: set[str]) -> None:
        """Forget ended processes whose end another server has recorded."""
        for job_id, child in list(self._children.items()):
            if job_id not in running and child.poll() is not None:
                del self._children[job_id]

    def _progress(self, job: Job) -> Progress:
        now = Progress.read(self.place(job.id) / PROGRESS)
        return now.after(job.progress) if now else job.progress

    def _end(self, job: Job) -> bool:
        """Record how a job ended whose process is gone; return False, as it no longer runs."""
        ended = job.id, job.pid
        if ended not in self._endings:  # judged once, however often the database is away
            self._endings[ended] = self._how_it_ended(job)
        self._jobs.end(job, *self._endings[ended])
        del self._endings[ended]
        self._children.pop(job.id, None)
        # It names patients, whose films may be deleted soon; a resumed job gets a new one.
        (self.place(job.id) / REVIEWED).unlink(missing_ok=True)
        return False

    def _how_it_ended(self, job: Job) -> Ending:
        child = self._children.get(job.id)
        progress = self._progress(job)
        status = child.poll() if child else None
        state, message = _ending(job, progress, status)
        if status and state is JobState.INTERRUPTED and self._is_hopeless(job, progress.done):
            state, message = (
                JobState.FAILED,
                (
                    f"Its process ended {MAX_DEATHS} times with status {status} at the same point. "
                    f"{LOG} in the job's folder has the reason."
                ),
            )
        return state, message, progress

    def _is_hopeless(self, job: Job, done: int) -> bool:
        """Record an unexpected end; return whether the last ones came without any gain."""
        path = self.place(job.id) / DEATHS
        with path.open("a", encoding="ascii") as file:
            file.write(f"{done}\n")
        latest = path.read_text(encoding="ascii").split()[-MAX_DEATHS:]
        return len(latest) == MAX_DEATHS and len(set(latest)) == 1


def _ending(job: Job, progress: Progress, status: int | None) -> tuple[JobState, str]:
    """Return how a job ended, from its progress file and exit status."""
    if progress.exit_status in (0, 1):
        return JobState.COMPLETED, ""
    if progress.exit_status is not None:
        return JobState.FAILED, progress.message
    if job.cancelling:
        return JobState.CANCELLED, ""
    if status:
        return JobState.INTERRUPTED, (
            f"Its process ended with status {status}. What is done is kept. "
            f"Resume it; if it ends again, {LOG} in the job's folder has the reason."
        )
    return JobState.INTERRUPTED, "Its process was ended from outside. What is done is kept."


def _lower_priority(process: psutil.Process) -> None:
    """Set a process to the lowest priority.

    If Linux schedules whole sessions (sched_autogroup), niceness counts only within a session, and
    a job has a session of its own: the session gets the same niceness.
    """
    process.nice(NICENESS)
    with suppress(OSError):  # another system, or a kernel without it
        Path(f"/proc/{process.pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _end_all(process: psutil.Process) -> None:
    """End a process and its children: SIGTERM, then SIGKILL."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        psutil.wait_procs([process], timeout=STOP_SECONDS)
