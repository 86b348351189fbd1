"""A challenger from synthetic films: trained, compared on held-out films, or refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from cxr_app.errors import SettingsError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model import checkpoint
from cxr_app.model.classes import CLASSES
from cxr_app.progress import Progress
from cxr_app.settings import Settings
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg, write_manifest
from training import evaluate, retrain
from training.data.holdout import Side, read_side
from training.data.splits import PARTS
from training.data.tested_films import UsedFilms
from training.fit import challenger_training, retrain_plan
from training.fit.recipe import read_recipe
from training.fit.recipe_training import epochs_of
from training.fit.retrain_plan import RetrainRequest
from training.fit.retrain_progress import RetrainProgress

RECIPE = """
architecture = "resnet18"
batch_size = 32
stages = [{size = 32, epochs = 2}]
"""
LUNG_CROPS = """
architecture = "crop_and_film"
batch_size = 16
learning_rate = 1e-3
initialisation = "imagenet"
stages = [{size = 64, epochs = 1}]
"""
"""As the shipped recipe, and short."""
KINDS = {"": "NORMAL", "bacterial": "PNEUMONIA", "viral": "PNEUMONIA"}
PATIENTS = {"": 170, "bacterial": 110, "viral": 110}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Return small synthetic films of many patients, as rows of a manifest."""
    folder = tmp_path_factory.mktemp("films")
    found = []
    for offset, (cause, target) in enumerate(KINDS.items()):
        for number in range(PATIENTS[cause]):
            path = folder / f"{target}{cause}{number}.jpeg"
            path.write_bytes(jpeg(1000 * offset + number, cause, 48, 48))
            row = {"path": str(path), "target": target, "cause": cause, "partition": ""}
            found.append(row | {"patient_id": path.stem})
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]) -> Path:
    """Return a folder with a manifest, a recipe and a model in use."""
    place = tmp_path_factory.mktemp("site")
    write_manifest(place / "all.csv", rows)
    (place / "quick.toml").write_text(RECIPE)
    write_tiny(place / "in_use.safetensors")
    return place


@pytest.fixture(scope="module")
def command(folder: Path) -> list[str]:
    """Return the command without its films and --out."""
    options = ["--recipe", str(folder / "quick.toml"), "--device", "cpu"]
    return [*options, "--checkpoint", str(folder / "in_use.safetensors")]


@pytest.fixture(autouse=True)
def data_dir(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXR_DATA_DIR", str(folder / "data"))
    return folder / "data"


@pytest.fixture(scope="module")
def run_dir(folder: Path, command: list[str]) -> Path:
    """Return the folder of a finished retraining."""
    out = folder / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA_DIR", str(folder / "data"))
        options = ["--data", str(folder / "all.csv"), "--progress", str(folder / "progress.json")]
        assert retrain.main([*command, *options, "--out", str(out)]) == 0
    return out


def comparison_of(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "comparison.json").read_text())
    return document


def test_both_models_are_compared_on_films_that_neither_was_trained_on(
    run_dir: Path, folder: Path
) -> None:
    found = comparison_of(run_dir)
    kept, learned = read_side(run_dir / "films.csv", Side.COMPARE), Side.LEARN
    assert found["n_normal"] + found["n_pneumonia"] == len(kept) == found["counts"]["compare"]
    assert min(found["n_normal"], found["n_pneumonia"]) >= 30
    taught = {one.film.path.name for one in read_side(run_dir / "films.csv", learned)}
    split = (run_dir / "run" / "split.csv").read_text().splitlines()[1:]
    used = {Path(row.split(",")[0]).name for row in split if not row.endswith("unused")}
    assert used == taught
    assert not used & {one.film.path.name for one in kept}
    own = checkpoint.load(run_dir / "run" / "checkpoint.safetensors")
    assert found["challenger"] == own.model_version
    assert found["challenger_sha256"] == own.sha256
    assert found["in_use_sha256"] == checkpoint.load(folder / "in_use.safetensors").sha256
    names = [figure["name"] for figure in found["figures"]]
    assert names[0] == "AUROC"
    assert "Sensitivity at high sensitivity" in names
    low, high = found["figures"][0]["delong_ci95"]
    assert low <= found["figures"][0]["difference"] <= high
    assert found["unknown"] == len(kept)  # no films are recorded for random weights


def test_a_recipe_of_lung_crops_ends_in_a_comparison_too(folder: Path, command: list[str]) -> None:
    recipe, out = folder / "crops.toml", folder / "crops"
    recipe.write_text(LUNG_CROPS)
    options = ["--data", str(folder / "all.csv"), "--out", str(out), "--recipe", str(recipe)]
    assert retrain.main([*command, *options]) == 0
    found = comparison_of(out)
    kept, learned = (read_side(out / "films.csv", side) for side in (Side.COMPARE, Side.LEARN))
    assert found["n_normal"] + found["n_pneumonia"] == len(kept) == found["counts"]["compare"]
    own = checkpoint.load(out / "run" / "checkpoint.safetensors")
    assert found["challenger"] == own.model_version
    summary = own.description.data_summary
    parts = [summary[name][kind] for name in PARTS for kind in CLASSES]
    assert sum(parts) == summary["films"] == len(learned)


def test_the_progress_is_written_until_the_end(run_dir: Path, folder: Path) -> None:
    progress = Progress.read(folder / "progress.json")
    assert progress is not None
    assert (progress.done, progress.total, progress.exit_status) == (2, 2, 0)
    assert progress.counts["learn"] == comparison_of(run_dir)["counts"]["learn"]


def test_compared_films_are_never_trained_on_and_are_compared_on_again(
    run_dir: Path,
    folder: Path,
    rows: list[dict[str, str]],
    command: list[str],
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also: the films of the next model in use are read from the file beside it."""

    def stop(*_: object) -> None:
        raise SettingsError("The films are chosen.")

    compared = UsedFilms(data_dir).films("compared")
    assert {one.sha256 for one in read_side(run_dir / "films.csv", Side.COMPARE)} == compared
    renamed = [row | {"patient_id": f"other {row['patient_id']}"} for row in rows]
    manifest = write_manifest(folder / "renamed.csv", renamed)
    out = folder / "second"
    challenger = str(run_dir / "run" / "checkpoint.safetensors")
    options = ["--data", str(manifest), "--checkpoint", challenger, "--out", str(out)]
    monkeypatch.setattr(challenger_training, "train", stop)
    assert retrain.main([*command, *options]) == 2
    kept = {one.sha256 for one in read_side(out / "films.csv", Side.COMPARE)}
    assert kept == compared
    assert json.loads((out / "plan.json").read_text())["unknown"] == 0


def test_films_unseen_by_the_model_in_use_are_found_by_repeating_its_split(
    run_dir: Path, folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    alone = folder / "alone.safetensors"  # no file beside it records its films
    shutil.copy(run_dir / "run" / "checkpoint.safetensors", alone)
    out = folder / "again"
    options = ["--data", str(run_dir / "films.csv"), "--checkpoint", str(alone), "--out", str(out)]
    assert retrain.main([*command, *options]) == 2
    assert "can be kept back" in capsys.readouterr().err  # a tenth of these films is too few
    split = (run_dir / "run" / "split.csv").read_text().splitlines()[1:]
    for side, parts in ((Side.COMPARE, {"validation"}), (Side.LEARN, {"train", "tune"})):
        found = {one.film.path.name for one in read_side(out / "films.csv", side)}
        assert found == {
            Path(row.split(",")[0]).name for row in split if row.split(",")[-1] in parts
        }


def test_measured_test_films_are_never_trained_on(
    folder: Path, rows: list[dict[str, str]], command: list[str], data_dir: Path
) -> None:
    locked = [row | {"partition": "test"} for row in rows[:40]]
    manifest = write_manifest(folder / "locked.csv", locked)
    report = ["--data", str(manifest), "--checkpoint", command[-1], "--device", "cpu"]
    assert evaluate.main([*report, "--partition", "test", "--json", str(folder / "r.json")]) == 0
    tested = UsedFilms(data_dir).films("test")
    assert len(tested) == 40
    out = folder / "unlocked"
    everything = ["--data", str(folder / "all.csv"), "--out", str(out)]
    retrain.main([*command, *everything])
    neither = {one.sha256 for one in read_side(out / "films.csv", Side.NEITHER)}
    assert neither == tested
    (data_dir / "used_films.txt").write_text(
        "".join(
            line
            for line in (data_dir / "used_films.txt").read_text().splitlines(keepends=True)
            if line.endswith("compared\n")
        )
    )


@pytest.mark.timeout(300)
def test_a_killed_run_resumes_to_the_same_comparison(
    run_dir: Path, folder: Path, command: list[str], project_root: Path
) -> None:
    out = folder / "killed"
    options = ["--data", str(folder / "all.csv"), "--out", str(out)]
    line = [sys.executable, "-m", "training.retrain", *command, *options]
    environment = {**os.environ, "CXR_DATA_DIR": str(folder / "data")}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(line, cwd=project_root, env=environment, stdout=quiet) as process:
        while not any((out / "run").glob("*.state.pt")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    subprocess.run(line, cwd=project_root, env=environment, stdout=quiet, check=True)
    names = {"challenger", "challenger_sha256"}
    whole, resumed = comparison_of(run_dir), comparison_of(out)
    assert {k: v for k, v in resumed.items() if k not in names} == {
        k: v for k, v in whole.items() if k not in names
    }


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (slice(0, 170), "The class 'bacterial' is empty"),
        (slice(165, 350), "The class 'normal' has 5 films of 5 patients"),
        (slice(120, 320), "can be kept back"),
    ],
)
def test_unusable_films_are_refused_with_the_reason(
    folder: Path, rows: list[dict[str, str]], command: list[str], chosen: slice, words: str
) -> None:
    name = f"{chosen.start}-{chosen.stop}"
    manifest = write_manifest(folder / f"{name}.csv", rows[chosen])
    place = folder / f"{name}.json"
    options = ["--data", str(manifest), "--out", str(folder / name), "--progress", str(place)]
    assert retrain.main([*command, *options]) == 2
    progress = Progress.read(place)
    assert progress is not None
    assert progress.exit_status == 2
    assert words in progress.message


def test_an_unreadable_film_and_one_from_elsewhere_are_named(
    folder: Path, rows: list[dict[str, str]], command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpeg").write_bytes(b"no film")
    broken = {**rows[0], "path": str(folder / "broken.jpeg"), "patient_id": "broken"}
    manifest = write_manifest(folder / "broken.csv", [*rows, broken])
    options = [*command, "--data", str(manifest), "--out", str(folder / "broken")]
    assert retrain.main(options) == 2
    assert "broken.jpeg cannot be used" in capsys.readouterr().err
    assert retrain.main([*options, "--within", str(folder)]) == 2
    assert "outside the folders" in capsys.readouterr().err


def test_a_folder_holds_one_run(
    run_dir: Path, folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = ["--data", str(folder / "quick.toml"), "--out", str(run_dir)]
    assert retrain.main([*command, *other]) == 2
    assert "other films" in capsys.readouterr().err


def test_too_few_films_to_compare_on_are_refused_before_one_is_decoded(
    folder: Path,
    rows: list[dict[str, str]],
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("a film was decoded")

    monkeypatch.setattr(retrain_plan, "decode", decoded)
    few = write_manifest(folder / "few.csv", rows[::5])
    assert retrain.main([*command, "--data", str(few), "--out", str(folder / "few")]) == 2
    assert "two patients in five are kept back" in capsys.readouterr().err


def test_the_films_read_so_far_are_reported(tmp_path: Path) -> None:
    progress = RetrainProgress(tmp_path / "progress.json")
    for number in range(1, 501):
        progress.on_read(number, 500)
        if number in (1, 500):
            found = Progress.read(tmp_path / "progress.json")
            assert found is not None
            assert found.counts == {"reading": number, "films": 500}


def test_a_resumed_run_is_as_far_as_the_epochs_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the next epoch ends, which takes minutes."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "epochs.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n')
    plan = SimpleNamespace(counts={"learn": 700})
    monkeypatch.setattr(challenger_training, "plan_of", lambda *_: plan)
    monkeypatch.setattr(challenger_training, "train", Mock(side_effect=KeyboardInterrupt))
    path = tmp_path / "progress.json"
    recipe = read_recipe(SHIPPED)
    request = RetrainRequest(tmp_path, (), None, None, ())
    with pytest.raises(KeyboardInterrupt):
        challenger_training.retrain(request, recipe, Settings(), "cpu", RetrainProgress(path))
    assert Progress.read(path) == Progress(2, epochs_of(recipe), {"learn": 700})
