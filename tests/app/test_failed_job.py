"""A job that failed: why, what to do about it, and whether what is done is lost."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.jobs.kinds import BACKLOG, RETRAINING
from cxr_app.progress import Progress
from cxr_app.ui import resources
from cxr_app.worklist import Job, JobState, Worklist
from tests.app.test_retrain_page import COUNTS, place, running, shown
from tests.app.test_retrain_page import films as films
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import supervisor as supervisor

AFTER_FIVE = Progress(5, 24, COUNTS, rate=0.1)
RESUME = "What is done is kept: put this right, then resume."
REASONS = (
    "There is no such recipe.",
    "The server could not start it: No space left on device.",
    "Its process ended 3 times with status 9 at the same point.",
    "The class 'viral' is empty.",
)


def offered(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button]


def said(app: AppTest) -> str:
    """The reason as shown, without the marks that keep it plain."""
    return str(app.error[0].value).replace("\\", "")


def fail(worklist: Worklist, job: Job, reason: str, progress: Progress) -> None:
    worklist.jobs.end(job, JobState.FAILED, reason, progress)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("status", [None, 2])
def test_a_retraining_that_had_begun_keeps_its_epochs_and_is_resumed(
    retrain: AppTest, worklist: Worklist, reason: str, status: int | None
) -> None:
    job = running(worklist, AFTER_FIVE)
    (place(job) / "plan.json").write_text("{}")
    fail(worklist, job, reason, Progress(5, 24, COUNTS, exit_status=status))
    page = shown(retrain)
    assert said(page) == f"Not finished: {reason} {RESUME}"
    page.button(key="resume").click().run()
    assert worklist.jobs.job(job.id).state is JobState.SCHEDULED
    assert worklist.jobs.job(job.id).progress.done == 5


@pytest.mark.parametrize("reason", REASONS)
def test_one_that_had_not_begun_is_started_again(
    retrain: AppTest, worklist: Worklist, reason: str
) -> None:
    fail(worklist, running(worklist, Progress()), reason, Progress())
    page = shown(retrain)
    assert said(page) == f"Not trained: {reason} Put this right, then start again."
    assert "resume" not in offered(page)


def test_one_whose_films_were_refused_says_so_and_offers_no_resuming(
    retrain: AppTest, worklist: Worklist
) -> None:
    refused = Progress(exit_status=2, message=REASONS[-1])
    fail(worklist, running(worklist, Progress()), refused.message, refused)
    page = shown(retrain)
    assert said(page).startswith(f"Not trained: {refused.message} Choose other films")
    assert "resume" not in offered(page)


@pytest.mark.parametrize(
    "reason", ["/films/Weiss.jpeg cannot be used.", "This is not a folder below /films/Weiss."]
)
def test_a_path_in_the_reason_is_not_shown_while_identities_are_masked(
    retrain: AppTest, worklist: Worklist, reason: str
) -> None:
    fail(worklist, running(worklist, Progress()), reason, Progress())
    page = shown(retrain)
    assert reason in said(page)
    page.toggle(key="mask_identities").set_value(True).run()
    assert "Weiss" not in said(page)
    assert "film cannot" not in said(page)
    assert "Unmask identities" in said(page)


def test_a_folder_that_was_away_for_a_while_costs_no_epochs(
    retrain: AppTest, worklist: Worklist, films: Path
) -> None:
    supervisor = resources.supervisor()
    job = supervisor.submit(RETRAINING, data=[str(films)], reviewed=False, recipe="resnet18")
    worklist.jobs.claim("elsewhere", [RETRAINING])
    worklist.jobs.begun(job.id, 7, 1.0)
    (place(job) / "plan.json").write_text("{}")
    worklist.jobs.end(worklist.jobs.job(job.id), JobState.CANCELLED, "", AFTER_FIVE)
    films.rename(films.with_name("away"))
    shown(retrain).button(key="resume").click().run()
    resources.supervisor().poll()
    assert worklist.jobs.job(job.id).state is JobState.FAILED
    page = shown(retrain)
    assert said(page).endswith(RESUME)
    films.with_name("away").rename(films)
    page.button(key="resume").click().run()
    assert worklist.jobs.job(job.id).state is JobState.SCHEDULED
    assert worklist.jobs.job(job.id).progress.done == 5


@pytest.mark.parametrize("progress", [Progress(), Progress(5, 10), Progress(5, 10, exit_status=2)])
def test_a_backlog_that_failed_is_resumed(
    app: AppTest, worklist: Worklist, progress: Progress
) -> None:
    job = worklist.jobs.submit(BACKLOG, {"folder": "/archive"})
    worklist.jobs.claim("elsewhere", [BACKLOG])
    reason = "The server could not start it: No space left on device."
    fail(worklist, job, reason, progress)
    app.run()
    page = app.switch_page("views/backlog.py").run()
    assert said(page) == f"{reason} {RESUME}"
    page.button(key="resume").click().run()
    assert worklist.jobs.job(job.id).state is JobState.SCHEDULED
