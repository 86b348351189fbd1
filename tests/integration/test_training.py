import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import TrainingDataError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.metrics import auroc
from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from tests.support.films import jpeg, write_kaggle_folder, write_manifest
from tests.support.run_folder import epochs_of, metrics_of
from training import evaluate, train
from training.data.dataset import decode, find_films

PATIENTS = 24
RECIPE = """
architecture = "resnet18"
batch_size = 16
stages = [{size = 32, epochs = 2}, {size = 40, epochs = 2}]
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle_folder(tmp_path_factory.mktemp("films"), PATIENTS)


@pytest.fixture(scope="module")
def command(films: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the training command without --out."""
    recipe = tmp_path_factory.mktemp("recipe") / "quick.toml"
    recipe.write_text(RECIPE)
    return ["--data", str(films), "--recipe", str(recipe), "--device", "cpu"]


@pytest.fixture(scope="module")
def run_dir(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA_DIR", str(out.parent))
        assert train.main([*command, "--out", str(out)]) == 0
    return out


def test_a_run_writes_all_its_files(run_dir: Path) -> None:
    lines = epochs_of(run_dir)

    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert [line["size"] for line in lines] == [32, 32, 40, 40]
    assert len((run_dir / "curves.csv").read_text().splitlines()) == 5
    partitions = [row.split(",")[-1] for row in (run_dir / "split.csv").read_text().splitlines()]
    assert set(partitions) == {"partition", "train", "tune", "validation"}
    described = checkpoint.load(run_dir / "checkpoint.safetensors").description
    assert described.name == "quick"
    assert 0.5 <= described.temperature <= 8
    points = described.operating_points
    assert points["high_sensitivity"].threshold <= points["balanced"].threshold
    assert described.metrics["auroc"] == metrics_of(run_dir)["auroc"]


def test_films_from_elsewhere_are_trained_on_and_counted_separately(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    for name, cause in (("NORMAL", ""), ("COVID-19", "viral")):
        (elsewhere / name).mkdir(parents=True)
        for number in range(8):
            (elsewhere / name / f"{number}.jpg").write_bytes(jpeg(1000 + number, cause))
    recipe = tmp_path / "further.toml"
    recipe.write_text(RECIPE.replace("epochs = 2}, {", "epochs = 2, further_films = 8}, {"))
    command = ["--data", str(films), "--recipe", str(recipe), "--device", "cpu"]

    out = tmp_path / "run"
    status = train.main([*command, "--further", str(elsewhere), "--out", str(out)])

    assert status == 0
    summary = checkpoint.load(out / "checkpoint.safetensors").description.data_summary
    assert summary["further"] == {"normal": 8, "pneumonia": 8}
    assert summary["films"] == 3 * PATIENTS
    last = epochs_of(out)[-1]["learning_rate"]
    assert last < 5e-5, "the learning rate did not fall, so steps are missing"


def test_films_from_elsewhere_that_are_measured_on_are_refused(
    films: Path, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "NORMAL").mkdir()
    (tmp_path / "PNEUMONIA").mkdir()
    for path in films.rglob("*.jpeg"):
        shutil.copy(path, tmp_path / path.parent.name)

    status = train.main([*command, "--further", str(tmp_path), "--out", str(tmp_path / "run")])

    assert status == 2
    assert "kept for measuring" in capsys.readouterr().err


def test_the_scores_of_the_validation_films_are_beside_the_checkpoint(
    run_dir: Path, films: Path
) -> None:
    metrics = metrics_of(run_dir)
    path = reference_scores.scores_path(run_dir / "checkpoint.safetensors")

    scores = reference_scores.read(path, metrics["model_version"])

    assert (scores.data, scores.partition) == (films.name, "validation")
    assert len(scores.truth) == metrics["n"]
    assert auroc(scores.pneumonia, scores.truth) == pytest.approx(metrics["auroc"])


def test_the_checkpoint_scores_films(run_dir: Path) -> None:
    scorer = Scorer(Classifier.load(run_dir / "checkpoint.safetensors", "cpu"))

    outcome = scorer.score(jpeg(5, "bacterial"))

    assert outcome.prediction is not None
    assert outcome.prediction.model_version == metrics_of(run_dir)["model_version"]


def test_evaluate_gives_the_figures_of_the_run(
    run_dir: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    path = run_dir / "checkpoint.safetensors"
    options = ["--data", str(films), "--checkpoint", str(path), "--device", "cpu"]

    status = evaluate.main(
        [*options, "--partition", "validation", "--json", str(tmp_path / "report.json")]
    )

    report = json.loads((tmp_path / "report.json").read_text())
    assert status == 0
    expected = metrics_of(run_dir)
    assert report["n"] == expected["n"]
    assert report["auroc"] == pytest.approx(expected["auroc"], abs=1e-3)
    # The run measured cached films, which have whole grey values.
    assert report["brier"] == pytest.approx(expected["brier"], abs=5e-3)


def test_the_report_has_every_key_of_the_contract(
    run_dir: Path, films: Path, tmp_path: Path
) -> None:
    path = run_dir / "checkpoint.safetensors"
    options = ["--data", str(films), "--checkpoint", str(path), "--device", "cpu"]

    assert evaluate.main([*options, "--json", str(tmp_path / "report.json")]) == 0

    report = json.loads((tmp_path / "report.json").read_text())
    wanted = (
        "n n_normal n_pneumonia auroc auroc_ci95 accuracy sensitivity specificity ppv f1 brier "
        "ece threshold bacterial_vs_viral_auroc model_version rejected"
    )
    assert set(wanted.split()) <= report.keys()
    assert (report["n"], report["n_normal"]) == (3 * PATIENTS, PATIENTS)
    low, high = report["auroc_ci95"]
    assert low <= report["auroc"] <= high


def test_unreadable_films_are_counted_and_named(run_dir: Path, films: Path, tmp_path: Path) -> None:
    manifest = write_manifest(
        tmp_path / "some.csv",
        [
            {
                "path": str(path),
                "target": "NORMAL",
                "cause": "",
                "patient_id": path.name,
                "partition": "",
            }
            for path in [*sorted((films / "train" / "NORMAL").iterdir())[:5], Path("gone.jpeg")]
        ],
    )
    path = run_dir / "checkpoint.safetensors"
    options = ["--data", str(manifest), "--checkpoint", str(path), "--device", "cpu"]

    assert evaluate.main([*options, "--json", str(tmp_path / "report.json")]) == 1

    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["n"], report["failed"]) == (5, 1)
    assert (report["auroc"], report["sensitivity"]) == (None, None)  # no film has pneumonia
    assert report["failed_films"][0].endswith("gone.jpeg")


@pytest.mark.timeout(300)
def test_a_killed_run_resumes_to_the_same_figures(
    run_dir: Path, command: list[str], tmp_path: Path, project_root: Path
) -> None:
    """Also: the same command twice gives the same figures."""
    out = tmp_path / "killed"
    environment = {**os.environ, "CXR_DATA_DIR": str(run_dir.parent)}
    line = [sys.executable, "-m", "training.train", *command, "--out", str(out)]
    with subprocess.Popen(line, cwd=project_root, env=environment) as process:
        while not (out / "resnet18.state.pt").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (out / "metrics.json").exists()

    done = subprocess.run(
        line, cwd=project_root, env=environment, capture_output=True, text=True, check=True
    )

    assert "resnet18: going on after epoch" in done.stderr
    assert metrics_of(out) | {"model_version": ""} == metrics_of(run_dir) | {"model_version": ""}


def test_a_run_killed_before_it_wrote_its_last_line_resumes(
    run_dir: Path, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(run_dir.parent))
    out = shutil.copytree(run_dir, tmp_path / "behind")
    whole = (out / "epochs.jsonl").read_text()
    (out / "epochs.jsonl").write_text("".join(whole.splitlines(keepends=True)[:-1]))

    assert train.main([*command, "--out", str(out)]) == 0

    assert (out / "epochs.jsonl").read_text() == whole
    assert metrics_of(out) | {"model_version": ""} == metrics_of(run_dir) | {"model_version": ""}


def test_a_folder_holds_one_run(
    run_dir: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*command, "--seed", "9", "--out", str(run_dir)]) == 2
    assert "another --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "role"),
    [
        ("resnet18_short", "--data"),
        ("resnet18_short", "--further"),
        ("crop_and_film", "--data"),
        ("crop_and_film", "--adults"),
    ],
)
def test_films_that_cannot_be_read_leave_the_folder_to_the_corrected_command(
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recipe: str,
    role: str,
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    out = tmp_path / "run"
    options = {"--data": str(films), "--recipe": recipe, "--device": "cpu", "--out": str(out)}
    options[role] = str(tmp_path / "not there")
    words = [word for pair in options.items() for word in pair]
    assert train.main(words) == 2
    assert list(out.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_a_film_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").write_text("in the way")
    assert train.main(["--data", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_film_is_decoded_once(films: Path, tmp_path: Path) -> None:
    found = find_films(films)

    first = decode(found, 48, tmp_path)
    (cached,) = tmp_path.glob("*.npy")
    written = cached.stat().st_mtime_ns
    second = decode(found, 48, tmp_path)

    np.testing.assert_array_equal(first, second)
    assert cached.stat().st_mtime_ns == written
    assert first.shape == (3 * PATIENTS, 48, 48)


def test_a_log_has_no_progress_bar(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decode(find_films(films), 48, tmp_path)
    assert capsys.readouterr().err == ""


def test_an_unreadable_film_is_refused_by_name(tmp_path: Path) -> None:
    write_kaggle_folder(tmp_path / "films", 2)
    (tmp_path / "films" / "train" / "NORMAL" / "IM-0001-0001.jpeg").write_bytes(b"no film")

    with pytest.raises(TrainingDataError, match=r"IM-0001-0001\.jpeg"):
        decode(find_films(tmp_path / "films"), 32, tmp_path / "cache")
