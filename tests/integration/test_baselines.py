"""An ancestor goes everywhere where our own model goes: train, score, batch, evaluate, compare."""

import csv
import json
from pathlib import Path

import pytest

from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.support.films import jpeg, write_kaggle_folder
from training import batch, compare, evaluate, train

PATIENTS = 12
RECIPE = """
architecture = "four_conv"
learning_rate = 1e-12
schedule = "constant"
average_decay = 0.0
normal_weight = 2.0
patience = 1
stages = [{size = 128, epochs = 5}]
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle_folder(tmp_path_factory.mktemp("films"), PATIENTS)


@pytest.fixture(scope="module")
def command(films: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A training command that learns nothing and so stops early, but for its --out."""
    recipe = tmp_path_factory.mktemp("recipe") / "still.toml"
    recipe.write_text(RECIPE)
    return ["--data", str(films), "--recipe", str(recipe), "--device", "cpu", "--exact"]


@pytest.fixture(scope="module")
def run_dir(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "still"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA_DIR", str(out.parent))
        assert train.main([*command, "--out", str(out)]) == 0
    return out


def test_a_run_that_stopped_early_trains_no_further_epoch(
    run_dir: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(run_dir.parent))
    before = (run_dir / "epochs.jsonl").read_text()
    assert len(before.splitlines()) == 2  # of five: the second was no better than the first

    assert train.main([*command, "--out", str(run_dir)]) == 0

    assert (run_dir / "epochs.jsonl").read_text() == before


def test_a_film_gets_a_probability_and_a_map_and_no_cause(run_dir: Path) -> None:
    scorer = Scorer(Classifier.load(run_dir / "checkpoint.safetensors", "cpu"))

    prediction = scorer.score(jpeg(5, "bacterial")).prediction

    assert prediction is not None
    assert 0 < prediction.pneumonia_probability < 1
    assert prediction.bacterial_probability is prediction.viral_probability is None
    assert prediction.activation_map.shape == (32, 32)


def test_a_backlogs_results_leave_the_causes_empty(
    run_dir: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    results, path = tmp_path / "results.csv", run_dir / "checkpoint.safetensors"
    options = ["--out", str(results), "--checkpoint", str(path), "--device", "cpu"]

    assert batch.main([str(films / "train" / "NORMAL"), *options]) == 0

    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == PATIENTS
    for row in rows:
        assert float(row["pneumonia_probability"]) > 0
        assert row["bacterial_probability"] == row["viral_probability"] == ""
    worklist = Worklist.open(Settings.read().worklist_url)
    (entry, *_) = worklist.page(Query())
    worklist.close()
    assert entry.pneumonia_probability is not None
    assert entry.bacterial_probability is entry.viral_probability is None


def test_evaluate_reports_pneumonia_without_causes(
    run_dir: Path, films: Path, tmp_path: Path
) -> None:
    path = run_dir / "checkpoint.safetensors"
    options = ["--data", str(films), "--checkpoint", str(path), "--device", "cpu"]

    assert evaluate.main([*options, "--json", str(tmp_path / "report.json")]) == 0

    report = json.loads((tmp_path / "report.json").read_text())
    assert report["n"] == 3 * PATIENTS
    assert report["auroc"] is not None
    assert report["bacterial_vs_viral_auroc"] is None


def test_runs_are_compared_in_one_table(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = checkpoint.load(run_dir / "checkpoint.safetensors").description
    renamed = tmp_path / "four_conv"  # as if the ancestor's own recipe had made it
    renamed.mkdir()
    for name in ("metrics.json", "epochs.jsonl", "split.csv"):
        (renamed / name).write_text((run_dir / name).read_text())
    run = json.loads((run_dir / "run.json").read_text())
    run["recipe"]["name"] = "four_conv"
    (renamed / "run.json").write_text(json.dumps(run))

    assert compare.main([str(run_dir), str(renamed), "--out", str(tmp_path / "table")]) == 0

    printed = capsys.readouterr().out
    assert (tmp_path / "table" / "comparison.md").read_text() in printed
    assert "author 0.872" in printed
    assert "1,289,089" in printed
    assert "not measured on the same films" not in printed
    with (tmp_path / "table" / "comparison.csv").open(newline="") as file:
        ours, ancestor = csv.DictReader(file)
    assert float(ours["auroc"]) == described.metrics["auroc"]
    for figure in ("auroc", "ece", "f1"):
        assert float(ours[f"{figure}_low"]) <= float(ours[f"{figure}_high"])
    assert (ours["accuracy_published"], ancestor["accuracy_published"]) == ("", "0.872")
    assert ancestor["bacterial_vs_viral_auroc"] == ""


def test_runs_can_be_compared_on_other_films(
    run_dir: Path, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(films), "--device", "cpu", "--out", str(tmp_path)]

    assert compare.main([str(run_dir), *options]) == 0

    assert f"({3 * PATIENTS} films of {3 * PATIENTS} patients)" in capsys.readouterr().out


def test_a_folder_without_a_finished_run_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([str(tmp_path)]) == 2
    assert "holds no finished run: run.json" in capsys.readouterr().err


def test_vgg_without_imagenet_says_so_in_one_sentence(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody answers there
    options = ["--data", str(films), "--recipe", "vgg19_transfer", "--device", "cpu"]

    assert train.main([*options, "--out", str(tmp_path / "run")]) == 2

    answer = capsys.readouterr().err.splitlines()[-1]
    assert "ImageNet" in answer
    assert "--random-initialisation" in answer
    assert not (tmp_path / "run" / "epochs.jsonl").exists()


def test_films_that_do_not_fit_an_ancestor_are_refused(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    recipe = tmp_path / "odd.toml"
    recipe.write_text('architecture = "four_conv"\nstages = [{size = 64, epochs = 1}]')
    options = ["--data", str(films), "--recipe", str(recipe), "--device", "cpu"]

    assert train.main([*options, "--out", str(tmp_path / "run")]) == 2

    assert "reads films of 128 pixels" in capsys.readouterr().err
