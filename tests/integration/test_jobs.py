"""Long work in real processes: begun, followed, stopped, found again by the next server."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from cxr_app.errors import FolderNotAllowedError, JobError
from cxr_app.jobs.kinds import BACKLOG, KINDS, PROGRESS, RETRAINING, REVIEWED, JobKind
from cxr_app.jobs.recipe_list import SHIPPED, recipes
from cxr_app.jobs.supervisor import MAX_DEATHS, NICENESS, SILENCE, Supervisor
from cxr_app.progress import Progress
from cxr_app.settings import Settings
from cxr_app.worklist import Cause, Job, JobState, Verdict, Worklist
from tests.support.outcomes import scored, sha256
from training.data.dataset import find_reviewed

WORK = """
import json, os, sys, time
place, steps, wait, status = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
open(f"{place}/environment.json", "w").write(json.dumps(dict(os.environ)))
def say(**told):
    open(f"{place}/new", "w").write(json.dumps(told))
    os.replace(f"{place}/new", f"{place}/progress.json")
for done in range(steps):
    say(done=done, total=steps)
    time.sleep(wait)
if status == 9:
    os._exit(9)
say(done=steps, total=steps, exit_status=status, message="No such model." if status == 2 else "")
sys.exit(status)
"""
"""Does as many steps as it is told, and ends as it is told; 9 ends without a word."""

PATIENCE_SECONDS = 60.0


def accept(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    return dict(asked)


def command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    numbers = (str(parameters[name]) for name in ("steps", "wait", "status"))
    return [sys.executable, "-c", WORK, str(place), *numbers]


WORK_KINDS = {"work": JobKind(accept, command)}


@pytest.fixture
def settings(tmp_path: Path, worklist_url: str) -> Settings:
    folders = f"{tmp_path}/archive"
    return Settings(data_dir=tmp_path / "data", database_url=worklist_url, backlog_folders=folders)


@pytest.fixture
def supervisor(settings: Settings, worklist: Worklist) -> Iterator[Supervisor]:
    """A supervisor that checks on request; its remaining processes are ended."""
    yours = Supervisor(settings, worklist, WORK_KINDS)
    yield yours
    for job in worklist.jobs.running():
        worklist.jobs.cancel(job.id)
    while yours.poll():
        pass


def work(supervisor: Supervisor, steps: int = 2, wait: float = 0.0, status: int = 0) -> Job:
    return supervisor.submit("work", steps=steps, wait=wait, status=status)


def wait_for(
    worklist: Worklist, supervisor: Supervisor, job: Job, reached: Callable[[Job], bool]
) -> Job:
    """Look again and again until a job is where it should be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached(now := worklist.jobs.job(job.id)):
        assert time.monotonic() < deadline, now
        supervisor.poll()
        time.sleep(0.02)
    return now


def ended(job: Job) -> bool:
    return not job.is_active


def counting(job: Job) -> bool:
    return job.state is JobState.RUNNING and job.progress.done > 0


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (0, JobState.COMPLETED, ""),
        (1, JobState.COMPLETED, ""),  # some pieces failed
        (2, JobState.FAILED, "No such model."),
        (9, JobState.INTERRUPTED, "ended with status 9"),
    ],
)
def test_a_job_ends_as_its_process_does(
    worklist: Worklist, supervisor: Supervisor, status: int, state: JobState, words: str
) -> None:
    job = wait_for(worklist, supervisor, work(supervisor, status=status), ended)
    assert job.state is state
    assert words in job.message
    assert job.progress.total == 2
    assert job.ended_at is not None


def test_a_process_has_low_priority_and_the_settings_of_its_server(
    worklist: Worklist, supervisor: Supervisor, settings: Settings
) -> None:
    job = wait_for(worklist, supervisor, work(supervisor, 1000, 0.1), counting)
    assert psutil.Process(job.pid).nice() == NICENESS
    group = Path(f"/proc/{job.pid}/autogroup")
    if group.exists():  # a kernel that weighs whole sessions, each as if it were one process
        assert group.read_text().split()[-1] == str(NICENESS)
    assert os.getsid(job.pid or 0) == job.pid  # what ends the server does not end it
    environment = json.loads((supervisor.place(job.id) / "environment.json").read_text())
    assert environment["CXR_DATABASE_URL"] == settings.database_url
    assert environment["CXR_DATA_DIR"] == str(settings.data_dir)
    assert supervisor.place(job.id).stat().st_mode & 0o077 == 0


def test_a_cancelled_job_stops_and_can_be_resumed(
    worklist: Worklist, supervisor: Supervisor
) -> None:
    job = wait_for(worklist, supervisor, work(supervisor, 1000, 0.1), counting)
    supervisor.cancel(job.id)
    job = wait_for(worklist, supervisor, job, ended)
    assert job.state is JobState.CANCELLED
    assert not psutil.pid_exists(job.pid or 0)
    supervisor.resume(job.id, steps=1)
    assert wait_for(worklist, supervisor, job, ended).state is JobState.COMPLETED


def test_one_job_runs_and_the_next_waits(worklist: Worklist, supervisor: Supervisor) -> None:
    first = wait_for(worklist, supervisor, work(supervisor, 1000, 0.1), counting)
    second = work(supervisor, 2)
    supervisor.poll()
    assert worklist.jobs.job(second.id).state is JobState.SCHEDULED
    supervisor.cancel(first.id)
    assert wait_for(worklist, supervisor, second, ended).state is JobState.COMPLETED


def test_a_job_of_another_kind_does_not_wait(
    worklist: Worklist, settings: Settings, supervisor: Supervisor
) -> None:
    both = Supervisor(settings, worklist, WORK_KINDS | {"other": WORK_KINDS["work"]})
    first = work(both, 1000, 0.1)
    other = both.submit("other", steps=1000, wait=0.1, status=0)
    assert wait_for(worklist, both, first, counting).pid
    assert wait_for(worklist, both, other, counting).pid
    for job in (first, other):
        both.cancel(job.id)
    assert wait_for(worklist, both, first, ended).state is JobState.CANCELLED
    assert wait_for(worklist, both, other, ended).state is JobState.CANCELLED


def test_the_next_server_finds_what_runs_and_follows_it(
    worklist: Worklist, supervisor: Supervisor, settings: Settings
) -> None:
    job = wait_for(worklist, supervisor, work(supervisor, 1000, 0.05), counting)
    successor = Supervisor(settings, worklist, WORK_KINDS)
    done = worklist.jobs.job(job.id).progress.done
    wait_for(worklist, successor, job, lambda now: now.progress.done > done)
    successor.cancel(job.id)
    assert wait_for(worklist, successor, job, ended).state is JobState.CANCELLED


def test_a_killed_process_is_an_interrupted_job_that_can_go_on(
    worklist: Worklist, supervisor: Supervisor, settings: Settings
) -> None:
    job = wait_for(worklist, supervisor, work(supervisor, 1000, 0.05), counting)
    os.kill(job.pid or 0, signal.SIGKILL)
    successor = Supervisor(settings, worklist, WORK_KINDS)
    job = wait_for(worklist, successor, job, ended)
    assert job.state is JobState.INTERRUPTED
    assert "What is done is kept" in job.message
    successor.resume(job.id, steps=1)
    assert wait_for(worklist, successor, job, ended).state is JobState.COMPLETED


def test_a_job_whose_process_dies_again_and_again_fails(
    worklist: Worklist, supervisor: Supervisor
) -> None:
    job = work(supervisor, status=9)
    for _ in range(MAX_DEATHS - 1):
        assert wait_for(worklist, supervisor, job, ended).state is JobState.INTERRUPTED
        supervisor.resume(job.id)
    job = wait_for(worklist, supervisor, job, ended)
    assert job.state is JobState.FAILED
    assert "with status 9 at the same point" in job.message


def test_a_job_that_gains_something_before_each_death_can_go_on(
    worklist: Worklist, supervisor: Supervisor
) -> None:
    job = work(supervisor, status=9)
    for steps in range(2, MAX_DEATHS + 3):
        assert wait_for(worklist, supervisor, job, ended).state is JobState.INTERRUPTED
        supervisor.resume(job.id, steps=steps + 1)


def test_parameters_of_a_wrong_type_are_refused_by_name(
    worklist: Worklist, supervisor: Supervisor, settings: Settings
) -> None:
    real = Supervisor(settings, worklist)
    with pytest.raises(JobError, match="folder: Input should be a valid string"):
        real.submit(BACKLOG, folder=3)
    with pytest.raises(JobError, match="recipe: Field required"):
        real.submit(RETRAINING, data=[], reviewed=True)


def test_another_process_that_has_got_the_number_is_not_taken_for_the_job(
    worklist: Worklist, supervisor: Supervisor
) -> None:
    job = work(supervisor)
    worklist.jobs.claim(supervisor._host, WORK_KINDS)
    worklist.jobs.begun(job.id, os.getpid(), time.time() - 86_400)
    worklist.jobs.cancel(job.id)
    assert wait_for(worklist, supervisor, job, ended).state is JobState.CANCELLED  # and we live


def test_a_job_of_another_machine_is_left_alone_until_that_falls_silent(
    worklist_url: str, settings: Settings
) -> None:
    then = datetime.now(UTC)
    elsewhere = Worklist.open(worklist_url, lambda: then)
    supervisor = Supervisor(settings, elsewhere, WORK_KINDS)
    job = work(supervisor)
    elsewhere.jobs.claim("elsewhere", WORK_KINDS)
    elsewhere.jobs.begun(job.id, os.getpid(), 1.0)
    supervisor.poll()
    assert elsewhere.jobs.job(job.id).state is JobState.RUNNING
    then -= SILENCE + timedelta(seconds=1)
    elsewhere.jobs.report(replace(job, pid=os.getpid()), Progress(3))
    supervisor.poll()
    assert elsewhere.jobs.job(job.id).state is JobState.INTERRUPTED
    assert "fallen silent" in elsewhere.jobs.job(job.id).message
    elsewhere.close()


def test_what_cannot_be_started_says_why(
    worklist: Worklist, supervisor: Supervisor, settings: Settings
) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    settings.jobs_dir.write_bytes(b"a file where the folder should be")
    job = wait_for(worklist, supervisor, work(supervisor), ended)
    assert job.state is JobState.FAILED
    assert "could not start" in job.message


def test_a_folder_that_is_allowed_no_more_is_not_scored_again(
    worklist: Worklist, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "archive").mkdir()
    before = Supervisor(settings, worklist)
    with pytest.raises(FolderNotAllowedError):
        before.submit(BACKLOG, folder=str(tmp_path))
    job = before.submit(BACKLOG, folder=str(tmp_path / "archive"))
    after = Supervisor(settings.model_copy(update={"backlog_folders": ""}), worklist)
    job = wait_for(worklist, after, job, ended)
    assert job.state is JobState.FAILED
    assert "CXR_BACKLOG_FOLDERS" in job.message


def test_the_thread_checks_regularly_and_at_once_on_request(
    worklist: Worklist, settings: Settings
) -> None:
    supervisor = Supervisor(settings, worklist, WORK_KINDS)
    supervisor.start()
    job = work(supervisor)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while worklist.jobs.job(job.id).is_active:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    supervisor.stop()
    assert worklist.jobs.job(job.id).state is JobState.COMPLETED


def test_the_command_of_a_backlog_names_its_files(tmp_path: Path) -> None:
    written = KINDS[BACKLOG].command(
        {"folder": "/a", "within": ["/", "/b"], "retry_failed": True}, tmp_path
    )
    assert written[1:4] == ["-m", "training.batch", "/a"]
    assert str(tmp_path / PROGRESS) in written
    assert written[-1] == "--retry-failed"
    assert written[-3:-1] == ["--within=/", "--within=/b"]


def test_a_retraining_takes_only_films_that_are_allowed_and_a_recipe_that_is_there(
    tmp_path: Path, worklist: Worklist
) -> None:
    films, elsewhere = tmp_path / "films", tmp_path / "elsewhere"
    films.mkdir()
    elsewhere.mkdir()
    settings = Settings(data_dir=tmp_path / "data", training_folders=str(films))
    supervisor = Supervisor(settings, worklist)
    asked: dict[str, Any] = {"data": [str(films)], "reviewed": False, "recipe": "resnet18"}
    job = supervisor.submit(RETRAINING, **asked)
    assert job.parameters["data"] == [str(films)]
    assert supervisor.submit(RETRAINING, **asked) == job
    for changed, words in (
        ({"data": [str(elsewhere)]}, "not a folder or a"),
        ({"data": []}, "Choose films"),
        ({"recipe": "../../etc"}, "no such recipe"),
    ):
        with pytest.raises(JobError, match=words):
            supervisor.submit(RETRAINING, **(asked | changed))
    nobody = Supervisor(Settings(data_dir=tmp_path), worklist)
    with pytest.raises(FolderNotAllowedError, match="CXR_TRAINING_FOLDERS"):
        nobody.submit(RETRAINING, **asked)


def test_a_site_has_recipes_of_its_own(tmp_path: Path, worklist: Worklist) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.recipes_dir.mkdir()
    recipe = 'architecture = "resnet18"\nstages = [{size = 32, epochs = 2}]'
    (settings.recipes_dir / "quick.toml").write_text(recipe)
    (settings.recipes_dir / "broken.toml").write_text("stages = [{size = 32}]")
    names = [recipe.name for recipe in recipes(settings)]
    assert names[0] == SHIPPED
    assert "quick" in names
    assert "broken" not in names
    kind = KINDS[RETRAINING]
    accepted = kind.accept(settings, {"data": [], "reviewed": True, "recipe": "quick"})
    command = kind.command(accepted, tmp_path / "job")
    assert str(settings.recipes_dir / "quick.toml") in command
    assert f"--reviewed={tmp_path / 'job' / REVIEWED}" in command


def test_the_names_of_patients_do_not_outlast_a_job(settings: Settings, worklist: Worklist) -> None:
    def prepare(_worklist: Worklist, _parameters: Mapping[str, Any], place: Path) -> None:
        (place / REVIEWED).write_text("Quuxlove")

    supervisor = Supervisor(settings, worklist, {"work": JobKind(accept, command, prepare)})
    for status in (0, 9):
        job = work(supervisor, status=status)
        supervisor.poll()
        assert (supervisor.place(job.id) / REVIEWED).exists()
        wait_for(worklist, supervisor, job, ended)
        assert not (supervisor.place(job.id) / REVIEWED).exists()


def test_reviews_are_written_for_training(tmp_path: Path, worklist: Worklist) -> None:
    """A job that goes on keeps what it began with."""
    messages = [
        (Verdict.AGREE, Cause.VIRAL),
        (Verdict.AGREE, Cause.UNCLEAR),
        (Verdict.DISAGREE, None),
        (Verdict.UNUSABLE, None),
    ]
    for number, (verdict, cause) in enumerate(messages):
        entry_id, _ = worklist.receive(sha256(number), "film", tmp_path / str(number))
        worklist.record(scored(number, probability=0.9))
        worklist.reviews.add(entry_id, "Ada", verdict, cause=cause)
    parameters = {"data": [], "reviewed": True}
    KINDS[RETRAINING].prepare(worklist, parameters, tmp_path)
    films, without_cause = find_reviewed(tmp_path / REVIEWED)
    assert [(film.target, film.cause, film.path.name) for film in films] == [
        ("PNEUMONIA", "viral", "0"),
        ("NORMAL", "", "2"),
    ]
    assert without_cause == 1
    assert len({film.patient_id for film in films}) == 2
    entry_id, _ = worklist.receive(sha256(9), "film", tmp_path / "9")
    worklist.record(scored(9, probability=0.9))
    worklist.reviews.add(entry_id, "Ada", Verdict.DISAGREE)
    KINDS[RETRAINING].prepare(worklist, parameters, tmp_path)
    assert len(find_reviewed(tmp_path / REVIEWED)[0]) == 2
