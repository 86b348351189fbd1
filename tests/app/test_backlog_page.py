"""The backlog page: a folder is asked for, followed, stopped and taken up again."""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.jobs.kinds import BACKLOG
from cxr_app.jobs.supervisor import Supervisor
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.progress import Progress
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import Job, JobState, Worklist
from tests.support.worklists import page_text

HOSTILE = "**b** <img src=x> \udcff.dcm"
SHA256 = "5" * 64


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the settings allow."""
    folder = tmp_path / "archive"
    (folder / "2026-10").mkdir(parents=True)
    monkeypatch.setenv("CXR_BACKLOG_FOLDERS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def supervisor(worklist: Worklist, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that starts no process: the tests decide how a job ends."""
    monkeypatch.setattr(resources, "supervisor", lambda: Supervisor(Settings.read(), worklist))


@pytest.fixture
def backlog(app: AppTest) -> AppTest:
    app.run()
    return app


def shown(app: AppTest) -> AppTest:
    """The page as it is now."""
    app.switch_page("views/backlog.py").run()
    assert not app.exception
    return app


def running(worklist: Worklist, archive: Path, progress: Progress) -> Job:
    """A job that a process of another machine works on."""
    requested = worklist.jobs.submit(BACKLOG, {"folder": str(archive)})
    worklist.jobs.claim("elsewhere", [BACKLOG])
    worklist.jobs.begun(requested.id, 7, 1.0)
    job = worklist.jobs.job(requested.id)
    worklist.jobs.report(job, progress)
    return worklist.jobs.job(requested.id)


def write_results(job: Job, *rows: Mapping[str, str]) -> None:
    place = Settings.read().jobs_dir / job.id
    place.mkdir(parents=True)
    names = ["source", "sha256", "state", "reason"]
    with (place / "results.csv").open("w", newline="", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def tables(app: AppTest) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, by what it holds."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return {data["label"]: data["rows"] for data in given if "rows" in data}


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def bar(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)


def test_without_an_allowed_folder_the_page_says_how_to_allow_one(backlog: AppTest) -> None:
    page = shown(backlog)
    assert "CXR_BACKLOG_FOLDERS" in page_text(page)
    assert "python -m training.batch" in page_text(page)
    assert "folder" not in [field.key for field in page.text_input]


def test_a_folder_is_submitted_and_its_job_shown(
    backlog: AppTest, worklist: Worklist, archive: Path
) -> None:
    page = shown(backlog)
    assert page.text_input(key="folder").value == str(archive)
    assert page.selectbox(key="chosen_folder").options == [str(archive), str(archive / "2026-10")]
    page.selectbox(key="chosen_folder").set_value(str(archive / "2026-10")).run()
    assert page.text_input(key="folder").value == str(archive / "2026-10")
    page.button(key="score_folder").click().run()
    page.button(key="score_folder").click().run()
    (job,) = worklist.jobs.newest(BACKLOG)
    assert job.parameters["folder"] == str(archive / "2026-10")
    assert page.query_params["job"] == job.id
    assert "waiting" in page_text(page)
    assert bar(page) == "Not started"


@pytest.mark.parametrize("typed", ["{}/../..", "2026-10", "", "/"])
def test_a_folder_elsewhere_is_refused_with_a_sentence(
    backlog: AppTest, worklist: Worklist, archive: Path, typed: str
) -> None:
    page = shown(backlog)
    page.text_input(key="folder").set_value(typed.format(archive)).run()
    page.button(key="score_folder").click().run()
    assert "not a folder below" in page.error[0].value
    assert worklist.jobs.newest(BACKLOG) == []


def test_a_running_job_says_how_far_it_is_and_can_be_cancelled(
    backlog: AppTest, worklist: Worklist, archive: Path
) -> None:
    counts = {"SCORED": 56_870, "flagged": 9_341, "REJECTED": 301, "FAILED": 43}
    counts["scored_before"] = 1_204
    running(worklist, archive, Progress(57_214, 100_312, counts, 61.2))
    page = shown(backlog)
    assert metrics(page) == {
        "Scored": "55,666",
        "Already scored": "1,204",
        "Flagged": "9,341",
        "Rejected": "301",
        "Failed": "43",
    }
    assert bar(page) == "57,214 of 100,312 films"
    words = page_text(page).replace("\\", "")
    assert "61 films/s · about 11 min left" in words
    assert page.button(key="retry_failed").disabled
    page.button(key="cancel").click().run()
    assert worklist.jobs.newest(BACKLOG)[0].cancelling
    assert "stopping" in page_text(page)
    assert page.button(key="cancel").disabled


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.INTERRUPTED, JobState.FAILED])
def test_a_stopped_job_shows_why_and_can_be_resumed(
    backlog: AppTest, worklist: Worklist, archive: Path, state: JobState
) -> None:
    job = running(worklist, archive, Progress(5, 10))
    worklist.jobs.end(job, state, "The disk is full.", Progress(5, 10, {"FAILED": 1}))
    page = shown(backlog)
    assert "disk is full" in [*page.error, *page.warning][0].value
    page.button(key="resume").click().run()
    assert worklist.jobs.job(job.id).state is JobState.SCHEDULED
    assert bar(page) == "5 of 10 films"


def test_what_was_not_scored_is_listed_with_its_reason_and_can_be_tried_again(
    backlog: AppTest, worklist: Worklist, archive: Path
) -> None:
    job = running(worklist, archive, Progress())
    rejected = {"source": HOSTILE, "sha256": SHA256, "state": "REJECTED", "reason": "A hand."}
    failed = {"source": "2.dcm", "sha256": "", "state": "FAILED", "reason": "No right to read."}
    scored = {"source": "3.dcm", "sha256": "6" * 64, "state": "SCORED", "reason": ""}
    write_results(job, rejected, failed, scored)
    counts = {"SCORED": 1, "REJECTED": 1, "FAILED": 1}
    worklist.jobs.end(job, JobState.COMPLETED, "", Progress(3, 3, counts, exit_status=1))
    page = shown(backlog)
    listed = tables(page)["Not scored"]
    assert [(row["state"], row["reason"]) for row in listed] == [
        ("rejected", "A hand."),
        ("failed", "No right to read."),
    ]
    assert listed[0]["source"] == "**b** <img src=x> ?.dcm"
    assert "img" not in page_text(page)
    page.button(key="retry_failed").click().run()
    again = worklist.jobs.job(job.id)
    assert again.state is JobState.SCHEDULED
    assert again.parameters["retry_failed"] is True


def test_a_click_on_what_was_not_scored_opens_its_film(
    backlog: AppTest, worklist: Worklist, archive: Path, gestures: Callable[..., None]
) -> None:
    job = running(worklist, archive, Progress())
    write_results(job, {"source": "a", "sha256": SHA256, "state": "FAILED", "reason": "Cut."})
    entry_id, _ = worklist.receive(SHA256, "a", archive / "a")
    worklist.record(Outcome(SHA256, ScoringState.FAILED, Priority.MEDIUM, reason="Cut."))
    gestures(opened=hashlib.sha256(b"a").hexdigest())
    page = shown(backlog)
    assert page.query_params["film"] == entry_id


def test_everything_scored_says_where_to_look(
    backlog: AppTest, worklist: Worklist, archive: Path
) -> None:
    job = running(worklist, archive, Progress())
    done = Progress(3, 3, {"SCORED": 3}, exit_status=0)
    worklist.jobs.end(job, JobState.COMPLETED, "", done)
    page = shown(backlog)
    assert "See the worklist" in page_text(page)
    assert [button.key for button in page.button if not button.disabled] == ["score_folder"]


def test_of_several_jobs_each_can_be_looked_at(
    backlog: AppTest, worklist: Worklist, archive: Path, gestures: Callable[..., None]
) -> None:
    first = running(worklist, archive, Progress(1, 2))
    worklist.jobs.end(first, JobState.COMPLETED, "", Progress(2, 2, exit_status=0))
    worklist.jobs.submit(BACKLOG, {"folder": str(archive / "2026-10")})
    page = shown(backlog)
    assert [row["state"] for row in tables(page)["Jobs"]] == ["waiting", "done"]
    assert bar(page) == "Not started"
    page.query_params["job"] = first.id
    assert bar(page.run()) == "2 of 2 films"


def test_hundreds_of_refusals_come_in_pages(
    backlog: AppTest, worklist: Worklist, archive: Path
) -> None:
    job = running(worklist, archive, Progress())
    rows = ({"source": f"{n}", "sha256": "", "state": "FAILED", "reason": "-"} for n in range(250))
    write_results(job, *rows)
    page = shown(backlog)
    assert len(tables(page)["Not scored"]) == 100
