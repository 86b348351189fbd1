"""The retrain page: begun, followed, compared; put to use by a person, and taken back."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.jobs.kinds import BACKLOG, RETRAINING
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.jobs.supervisor import Supervisor
from cxr_app.model import checkpoint
from cxr_app.progress import Progress
from cxr_app.scoring_engine import EngineStatus
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import Job, JobState, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.worklists import ReadyEngine, page_text

HOSTILE = "**b** <img src=x onerror=alert(1)> $x$"
COUNTS = {"learn": 307, "compare": 83, "neither": 24, "without_cause": 3, "contradicting": 0}


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the settings allow, with a manifest."""
    folder = tmp_path / "films"
    (folder / "2026-10").mkdir(parents=True)
    (folder / "drawn.csv").touch()
    monkeypatch.setenv("CXR_TRAINING_FOLDERS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def supervisor(worklist: Worklist, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that starts no process: the tests decide how a job ends."""
    monkeypatch.setattr(resources, "supervisor", lambda: Supervisor(Settings.read(), worklist))


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoint of the settings."""
    path = write_tiny(tmp_path / "configured.safetensors")
    monkeypatch.setenv("CXR_CHECKPOINT", str(path))
    return path


@pytest.fixture
def retrain(app: AppTest) -> AppTest:
    app.run()
    return app


def shown(app: AppTest) -> AppTest:
    """The page as it is now."""
    app.switch_page("views/retrain.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """Every word of the page, without the marks that keep it plain."""
    return page_text(app).replace("\\", "")


def test_a_recipe_with_a_wrong_value_is_refused_before_it_is_chosen(retrain: AppTest) -> None:
    folder = Settings.read().recipes_dir
    folder.mkdir(parents=True)
    sound = 'architecture = "resnet18"\nstages = [{size = 64, epochs = 1}]\n'
    (folder / "odd.toml").write_text(sound + 'learning_rate = "fast"')

    shown(retrain)

    assert "odd" not in retrain.selectbox("recipe").options
    assert "odd.toml has learning_rate = 'fast'" in words(retrain)


def running(worklist: Worklist, progress: Progress, films: str = "/films") -> Job:
    """A retraining that a process of another machine works on."""
    requested = worklist.jobs.submit(
        RETRAINING, {"data": [films], "reviewed": True, "recipe": "resnet18"}
    )
    worklist.jobs.claim("elsewhere", [RETRAINING])
    worklist.jobs.begun(requested.id, 7, 1.0)
    worklist.jobs.report(worklist.jobs.job(requested.id), progress)
    return worklist.jobs.job(requested.id)


def place(job: Job) -> Path:
    folder = Settings.read().jobs_dir / job.id
    (folder / "run").mkdir(parents=True, exist_ok=True)
    return folder


def compared(
    worklist: Worklist, configured: Path, not_worse: bool = True, unknown: int = 83
) -> tuple[Job, str]:
    """A retraining that has ended, and the version of its challenger."""
    job = running(worklist, Progress(2, 2, COUNTS))
    worklist.jobs.end(job, JobState.COMPLETED, "", Progress(2, 2, COUNTS, exit_status=0))
    path = write_tiny(place(job) / "run" / "checkpoint.safetensors", seed=1)
    made, present = checkpoint.load(path), checkpoint.load(configured)
    line = {"in_use": 0.987, "challenger": 0.991, "difference": 0.004, "ci95": [-0.001, 0.008]}
    comparison = {
        "in_use": present.model_version,
        "challenger": made.model_version,
        "in_use_sha256": present.sha256,
        "challenger_sha256": made.sha256,
        "n_normal": 36,
        "n_pneumonia": 47,
        "n_patients": 80,
        "figures": [
            line | {"name": "AUROC", "delong_ci95": [-0.002, 0.01]},
            line
            | {"name": "Sensitivity at balanced", "difference": -0.004}
            | ({} if not_worse else {"difference": -0.06, "ci95": [-0.09, -0.03]}),
            dict.fromkeys(line, None) | {"name": "Bacterial versus viral, AUROC"},
        ],
        "subgroups": [line | {"name": "cause: viral", "n_pneumonia": 31}],
        "checks": [
            {"name": "AUROC", "allowed": "less than 0.01 lower", "passed": True},
            {"name": "Sensitivity at balanced", "allowed": "at most 0.02", "passed": not_worse},
        ],
        "not_worse": not_worse,
        "counts": COUNTS,
        "unknown": unknown,
    }
    (place(job) / "comparison.json").write_text(json.dumps(comparison))
    return job, made.model_version


def epochs(job: Job, number: int) -> None:
    lines = [
        {"epoch": epoch + 1, "train_loss": 1.0 / (epoch + 1), "tune_auroc": 0.9 + epoch / 100}
        for epoch in range(number)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (place(job) / "run" / "epochs.jsonl").write_text(text + '{"epoch": ')


def bar(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)


def curve(app: AppTest) -> list[Any]:
    (chart,) = app.get("plotly_chart")
    return list(json.loads(chart.proto.spec)["data"])


def test_without_films_the_page_says_how_there_come_to_be_some(retrain: AppTest) -> None:
    page = shown(retrain)
    assert "CXR_TRAINING_FOLDERS" in page_text(page)
    assert "No model has been retrained" in page_text(page)
    assert page.button(key="start").disabled


def test_a_recipe_without_causes_is_marked_before_it_is_started(app: AppTest, films: Path) -> None:
    page = shown(app)
    assert "160 × 160" in words(page)
    assert "Does not distinguish causes" not in words(page)
    page.selectbox(key="recipe").select("separable_conv").run()
    assert "150 × 150 pixels. Does not distinguish causes" in words(page)


def test_films_and_a_recipe_are_chosen_and_begun_once(
    retrain: AppTest, worklist: Worklist, films: Path
) -> None:
    page = shown(retrain)
    assert page.selectbox(key="recipe").value == SHIPPED
    assert "32 epochs" in page_text(page)  # 16 of each of two networks
    assert page.multiselect(key="films").options == [
        f"{films.parent.name}/films",
        "films/2026-10",
        "films/drawn.csv",
    ]
    page.button(key="start").click().run()
    assert "Choose films" in page.error[0].value
    page.multiselect(key="films").set_value([str(films / "drawn.csv")]).run()
    page.button(key="start").click().run()
    page.button(key="start").click().run()
    (job,) = worklist.jobs.newest(RETRAINING)
    assert job.parameters["data"] == [str(films / "drawn.csv")]
    assert not job.parameters["reviewed"]
    assert not page.error
    assert page.query_params["job"] == job.id
    assert bar(page) == "Not started"


def test_a_running_one_shows_its_curves_and_the_time_left_and_can_be_cancelled(
    retrain: AppTest, worklist: Worklist, films: Path
) -> None:
    job = running(worklist, Progress(17, 24, COUNTS, rate=1 / 60), HOSTILE)
    epochs(job, 17)
    page = shown(retrain)
    assert bar(page) == "Epoch 17 of 24"
    assert "about 7 min left" in words(page)
    assert [line["name"] for line in curve(page)] == ["training loss", "AUROC on tuning films"]
    assert "Training on 307 films; 83 films held out" in words(page)
    assert "24 films left out: already used for testing" in words(page)
    assert "3 films left out: pneumonia of unspecified cause" in words(page)
    assert "\\<img" in page_text(page)  # kept from being markup
    page.button(key="cancel").click().run()
    assert worklist.jobs.newest(RETRAINING)[0].cancelling
    assert page.button(key="cancel").disabled


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.INTERRUPTED])
def test_a_stopped_one_is_resumed(retrain: AppTest, worklist: Worklist, state: JobState) -> None:
    job = running(worklist, Progress(5, 24, COUNTS))
    worklist.jobs.end(job, state, "The disk is full.", Progress(5, 24, COUNTS))
    page = shown(retrain)
    assert "disk is full" in page.warning[0].value
    page.button(key="resume").click().run()
    assert worklist.jobs.job(job.id).state is JobState.SCHEDULED


def test_the_challenger_is_shown_with_the_model_in_use_and_the_rule(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    page = shown(retrain)
    table = page.table[0].value
    assert list(table["Challenger"]) == ["0.991", "0.991", "–"]
    assert table["Difference, 95 % interval"][0] == "+0.004 (−0.002 to +0.010)"  # noqa: RUF001
    assert list(table["Rule"]) == ["✓", "✓", "–"]
    assert "same 83 films from 80 patients, 47 with pneumonia" in words(page)
    assert "unknown whether the model in use was trained on 83 of these films" in words(page)
    assert "✓ AUROC: less than 0.01 lower" in words(page)
    assert "A person decides" in words(page)


def test_a_worse_challenger_cannot_be_put_to_use(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured, not_worse=False, unknown=0)
    page = shown(retrain)
    assert page.button(key="promote").disabled
    assert "✗ not met" in list(page.table[0].value["Rule"])
    assert "Worse by the rule:** it cannot be promoted. More films may help." in words(page)
    assert "unknown whether" not in words(page)


def test_a_challenger_is_promoted_and_one_click_leads_back(
    retrain: AppTest, worklist: Worklist, configured: Path, engine: ReadyEngine
) -> None:
    job, version = compared(worklist, configured)
    page = shown(retrain)
    page.button(key="promote").click().run()
    promoted = worklist.promotions.newest()
    assert promoted is not None
    assert (promoted.model_version, promoted.job_id) == (version, job.id)
    assert promoted.promoted_by
    assert "being loaded" in page_text(page)
    in_use = Settings.read().models_dir / f"{promoted.sha256}.safetensors"
    engine.current = EngineStatus("ready", model_version=version, checkpoint=in_use)
    page = shown(page)
    assert "being loaded" not in page_text(page)
    assert f"by {promoted.promoted_by}, after a comparison" in words(page)
    page.button(key="back_configured").click().run()
    newest = worklist.promotions.newest()
    assert newest is not None
    assert newest.sha256 == ""
    for _ in range(2):  # and so on, forth and back
        page.button(key=f"back_{promoted.sha256[:8]}").click().run()
        page.button(key="back_configured").click().run()
        assert not page.error
    newest = worklist.promotions.newest()
    assert newest is not None
    assert newest.sha256 == ""
    assert page.button(key=f"back_{promoted.sha256[:8]}").label.startswith("Back to")


def test_no_model_is_promoted_before_the_reader_is_known(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    page = shown(retrain)
    page.session_state["reader_asked"] = False
    page.button(key="promote").click().run()
    assert worklist.promotions.newest() is None
    assert "has not sent your name yet" in page.error[0].value


def test_a_model_that_cannot_be_loaded_is_reported(
    retrain: AppTest, worklist: Worklist, configured: Path, engine: ReadyEngine
) -> None:
    compared(worklist, configured)
    page = shown(retrain)
    engine.current = EngineStatus("ready", message="This one stays: the file is damaged.")
    page.button(key="promote").click().run()
    assert any("damaged" in element.value for element in page.error)


def test_a_challenger_compared_with_another_model_is_refused_with_a_sentence(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    page = shown(retrain)
    write_tiny(configured, seed=5)
    page.button(key="promote").click().run()
    assert "no longer in use" in page.error[0].value
    assert worklist.promotions.newest() is None


def test_a_challenger_is_discarded_and_its_figures_stay(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    page = shown(retrain)
    page.button(key="discard").click().run()
    assert "was discarded" in page.info[-1].value
    assert page.table[0].value["Metric"][0] == "AUROC"
    assert "promote" not in [button.key for button in page.button]


def test_earlier_films_can_be_scored_again_with_the_new_model(
    retrain: AppTest,
    worklist: Worklist,
    configured: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    monkeypatch.setenv("CXR_BACKLOG_FOLDERS", str(archive))
    worklist.jobs.submit(BACKLOG, {"folder": str(archive)})
    compared(worklist, configured)
    page = shown(retrain)
    assert "Films scored before" not in words(page)
    page.button(key="promote").click().run()
    assert "until it is scored again" in words(page)
    assert page.selectbox(key="rescore_folder").options == ["Uploaded films", str(archive)]
    page.selectbox(key="rescore_folder").set_value(str(archive)).run()
    page.button(key="score_again").click().run()
    assert len(worklist.jobs.newest(BACKLOG)) == 2
    Settings.read().films_dir.mkdir(parents=True)
    page.selectbox(key="rescore_folder").set_value(str(Settings.read().films_dir)).run()
    page.button(key="score_again").click().run()
    assert worklist.jobs.newest(BACKLOG)[0].parameters["folder"] == str(Settings.read().films_dir)


def test_of_several_each_can_be_looked_at(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    first, version = compared(worklist, configured)
    running(worklist, Progress(1, 24), "/other")
    page = shown(retrain)
    assert bar(page) == "Epoch 1 of 24"
    page.query_params["job"] = first.id
    assert bar(page.run()) == "Trained and compared"
    assert version in words(page)


def test_where_two_are_asked_for_the_second_person_promotes(
    app: AppTest, worklist: Worklist, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_PROMOTION_BY_TWO", "true")
    compared(worklist, configured)
    shown(app.run())
    app.button("propose").click().run()
    assert "Proposed by Weiss" in words(app)
    assert "promote" not in [each.key for each in app.button]
    app.session_state["reader_name"] = "Ada"
    app.run()
    app.button("promote").click().run()
    assert worklist.promotions.history()[0].promoted_by == "Ada"
