"""Long work in processes of their own: begun, followed and stopped by a thread of the server.

A process outlives the server that began it; the next one finds it by its id and start. Where a job
stands is in the worklist's database, so every window and every server sees the same.
"""

import csv
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from cxr_app.errors import JobError, WorklistError
from cxr_app.film_store import make_private_folder
from cxr_app.jobs.allowed_folders import allowed_films, allowed_folder
from cxr_app.jobs.recipe_list import recipe_named
from cxr_app.progress import Progress
from cxr_app.settings import PROJECT, Settings
from cxr_app.worklist import Cause, Job, JobState, ReviewedFilm, Worklist

logger = logging.getLogger(__name__)

BACKLOG = "backlog"
RETRAINING = "retraining"

RESULTS = "results.csv"
PROGRESS = "progress.json"
LOG = "log.txt"
REVIEWED = "reviewed.csv"

NICENESS = 19
"""Readers come first: such a process gets what they leave."""

LOOK_SECONDS = 1.0
IDLE_SECONDS = 5.0
"""How often jobs are looked at while one runs, and while none does."""

HEARTBEAT = timedelta(seconds=20)
SILENCE = timedelta(minutes=2)
"""A job of another machine that was not heard of for so long has died with that machine."""

CLOCK_SLACK_SECONDS = 5.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of long work.

    Parameters
    ----------
    accept
        Turns what was asked for into parameters, or says by `JobError` why it cannot be done.
    command
        The command that does it, from its parameters and the job's own folder. It writes `PROGRESS`
        there, and goes on where it stopped when it is started again.
    prepare
        Puts into the job's folder what the command needs of the worklist.
    """

    accept: Callable[[Settings, Mapping[str, Any]], dict[str, Any]]
    command: Callable[[Mapping[str, Any], Path], list[str]]
    prepare: Callable[[Worklist, Mapping[str, Any], Path], None] = lambda *_: None


def accept_backlog(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take a folder that the settings allow."""
    roots = settings.backlog_roots
    if asked["folder"] == str(settings.films_dir):  # what was uploaded is scored anew
        roots = (settings.films_dir,)
    folder = allowed_folder(str(asked["folder"]), roots, "CXR_BACKLOG_FOLDERS")
    return {**asked, "folder": str(folder), "within": [str(root) for root in roots]}


def backlog_command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    """Write the command that scores a folder."""
    command = [sys.executable, "-m", "training.batch", parameters["folder"]]
    command += ["--out", str(place / RESULTS), "--progress", str(place / PROGRESS)]
    command += ["--workers", str(_few_threads())]
    command += [f"--within={root}" for root in parameters["within"]]
    return [*command, "--retry-failed"] if parameters.get("retry_failed") else command


def accept_retraining(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take films that the settings allow, or that readers have reviewed, and a recipe."""
    data = [
        str(allowed_films(str(each), settings.training_roots, "CXR_TRAINING_FOLDERS"))
        for each in asked["data"]
    ]
    if not data and not asked["reviewed"]:
        raise JobError("Choose films to train on: a folder, a manifest or the reviewed films.")
    recipe = recipe_named(settings, str(asked["recipe"]))
    within = [str(root) for root in settings.training_roots]
    return {**asked, "data": data, "recipe_path": str(recipe.path), "within": within}


def retraining_command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    """Write the command that trains and compares a challenger."""
    command = [sys.executable, "-m", "training.retrain", "--out", str(place)]
    command += ["--recipe", parameters["recipe_path"], "--progress", str(place / PROGRESS)]
    command += [f"--data={each}" for each in parameters["data"]]
    command += [f"--within={root}" for root in parameters["within"]]
    return [*command, f"--reviewed={place / REVIEWED}"] if parameters["reviewed"] else command


def write_reviewed(worklist: Worklist, parameters: Mapping[str, Any], place: Path) -> None:
    """Write the manifest of the reviewed films; a job that goes on keeps its own."""
    manifest = place / REVIEWED
    if not parameters["reviewed"] or manifest.exists():
        return
    partial = manifest.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "target", "cause", "patient_id", "partition"))
        writer.writerows(_reviewed_row(film) for film in worklist.reviews.reviewed_films())
    partial.replace(manifest)


def _reviewed_row(film: ReviewedFilm) -> tuple[str, ...]:
    """Say what a reader saw; a film that names no patient is a patient of its own."""
    cause = film.cause.value.lower() if film.cause in (Cause.BACTERIAL, Cause.VIRAL) else ""
    target = "PNEUMONIA" if film.pneumonia else "NORMAL"
    return (str(film.path), target, cause, film.patient_id or f"film {film.sha256}", "")


KINDS: Mapping[str, JobKind] = {
    BACKLOG: JobKind(accept_backlog, backlog_command),
    RETRAINING: JobKind(accept_retraining, retraining_command, write_reviewed),
}


class Supervisor:
    """Does one job of a kind after the other, each in a process of its own at low priority.

    A retraining takes hours, and a backlog does not wait for it.

    Parameters
    ----------
    settings
        Where jobs keep their files; handed on to their processes.
    worklist
        Whose jobs.
    kinds
        What can be asked for.
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
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to look after jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what runs goes on, and the next server finds it."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def place(self, job_id: str) -> Path:
        """Say where a job keeps its files."""
        return self._settings.jobs_dir / job_id

    def results(self, job_id: str) -> Path:
        """Say where a backlog writes its results."""
        return self.place(job_id) / RESULTS

    def ask(self, kind: str, **parameters: Any) -> Job:
        """Ask for a job.

        Raises
        ------
        JobError
            If it cannot be done.
        """
        job = self._jobs.ask(kind, self._kinds[kind].accept(self._settings, parameters))
        self._wake.set()
        return job

    def ask_again(self, job_id: str, **changed_parameters: Any) -> None:
        """Let an ended job go on.

        Raises
        ------
        JobError
            If there is no such job.
        """
        self._jobs.ask_again(job_id, **changed_parameters)
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Stop a job, soon.

        Raises
        ------
        JobError
            If there is no such job.
        """
        self._jobs.cancel(job_id)
        self._wake.set()

    def look(self) -> bool:
        """Follow what runs here, and begin what was asked for first of a kind that does not.

        Returns
        -------
        bool
            Whether anything runs here.
        """
        running = self._jobs.running()
        busy = {job.kind for job in running if self._follow(job)}
        self._let_go({job.id for job in running})
        job = self._jobs.claim(self._host, self._kinds.keys() - busy)
        if job is not None:
            self._begin(job)
        return bool(busy) or job is not None

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                busy = self.look()
            except WorklistError as error:
                logger.warning("Jobs are not looked after for a moment: %s", error)
                busy = False
            self._wake.wait(LOOK_SECONDS if busy else IDLE_SECONDS)

    def _begin(self, job: Job) -> None:
        """Start the process of a claimed job, or say why it cannot be."""
        try:
            process = self._start(job)
        except JobError as error:
            self._jobs.end(job, JobState.FAILED, str(error), job.progress)
        except OSError as error:
            message = f"The server could not start it: {error.strerror}. Check its disk and memory."
            self._jobs.end(job, JobState.FAILED, message, job.progress)
        else:
            self._jobs.begun(job.id, process.pid, process.create_time())

    def _start(self, job: Job) -> psutil.Process:
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
                env=_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # what ends the server does not end its jobs
            )
        self._children[job.id] = child
        process = psutil.Process(child.pid)
        _step_back(process)
        return process

    def _follow(self, job: Job) -> bool:
        """Bring what is written of a running job up to date; False where it no longer runs here."""
        heard = datetime.now(UTC) - (job.heard_at or job.requested_at)
        if job.host != self._host:
            if heard > SILENCE:
                message = f"The server {job.host}, which did it, has fallen silent."
                self._jobs.end(job, JobState.INTERRUPTED, message, job.progress)
            return False
        if job.pid is None:  # another server of this machine begins it right now, or has died
            return heard < HEARTBEAT or self._end(job)
        process = self._process(job)
        if process is not None and job.cancelling:
            _end_all(process)
            process = None
        if process is None:
            return self._end(job)
        progress = self._progress(job)
        if progress != job.progress or heard > HEARTBEAT:
            self._jobs.report(job, progress)
        return True

    def _process(self, job: Job) -> psutil.Process | None:
        """Find the process of a job; another that has got its number since is none."""
        if child := self._children.get(job.id):
            child.poll()  # an ended child stays in the process table until it is asked
        try:
            process = psutil.Process(job.pid)
            late = process.create_time() - (job.process_started or 0.0)
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return None if ended or abs(late) > CLOCK_SLACK_SECONDS else process

    def _let_go(self, running: set[str]) -> None:
        """Forget ended processes whose end another server has written down."""
        for job_id, child in list(self._children.items()):
            if job_id not in running and child.poll() is not None:
                del self._children[job_id]

    def _progress(self, job: Job) -> Progress:
        return Progress.read(self.place(job.id) / PROGRESS) or job.progress

    def _end(self, job: Job) -> bool:
        """Write down how a job ended whose process is gone; False: it no longer runs."""
        child = self._children.pop(job.id, None)
        progress = self._progress(job)
        state, message = _ending(job, progress, child.poll() if child else None)
        self._jobs.end(job, state, message, progress)
        # It names patients, whose films may be deleted any day; a job that goes on gets a new one.
        (self.place(job.id) / REVIEWED).unlink(missing_ok=True)
        return False


def _ending(job: Job, progress: Progress, status: int | None) -> tuple[JobState, str]:
    """Say how a job ended, from what its process left."""
    if progress.exit_status in (0, 1):
        return JobState.COMPLETED, ""
    if progress.exit_status is not None:
        return JobState.FAILED, progress.message
    if job.cancelling:
        return JobState.CANCELLED, ""
    if status:
        return JobState.INTERRUPTED, (
            f"Its process ended with status {status}. What is done is kept. "
            f"Let it go on; if it ends again, {LOG} in the job's folder says more."
        )
    return JobState.INTERRUPTED, "Its process was ended from outside. What is done is kept."


def _step_back(process: psutil.Process) -> None:
    """Let readers go first.

    Where Linux weighs whole sessions against each other (sched_autogroup), niceness counts only
    within a session, and a job has one of its own: it must be nice as a session too.
    """
    process.nice(NICENESS)
    with suppress(OSError):  # another system, or a kernel without it
        Path(f"/proc/{process.pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _end_all(process: psutil.Process) -> None:
    """End a process and all that it has started, kindly first."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        psutil.wait_procs([process], timeout=STOP_SECONDS)


def _few_threads() -> int:
    """Leave a core to the readers."""
    return max(1, (os.cpu_count() or 1) - 1)


def _environment(settings: Settings) -> dict[str, str]:
    """Hand on the settings as they are here, and no others; a password is in no command line."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CXR_")}
    values = settings.model_dump(mode="json")
    return (
        own
        | {"OMP_NUM_THREADS": str(_few_threads())}
        | {f"CXR_{name.upper()}": str(value) for name, value in values.items()}
    )
