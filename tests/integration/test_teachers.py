import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_app import checkpoint
from cxr_app.errors import SettingsError
from tests.films import write_kaggle_folder
from training import engine, teachers, train
from training.dataset import decode, find_films

RECIPE = """
architecture = "resnet18"
batch_size = 16
stages = [{size = 32, epochs = 1}, {size = 40, epochs = 1}]
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle_folder(tmp_path_factory.mktemp("films"), patients=24)


@pytest.fixture(scope="module")
def command(films: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The training command, but for its --out."""
    recipe = tmp_path_factory.mktemp("recipe") / "quick.toml"
    recipe.write_text(RECIPE)
    return ["--data", str(films), "--recipe", str(recipe), "--device", "cpu"]


@pytest.fixture(scope="module")
def runs(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two finished runs of one split, other weights."""
    folder = tmp_path_factory.mktemp("runs")
    outs = [folder / "first", folder / "second"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA_DIR", str(folder))
        for seed, out in enumerate(outs, start=1):
            seeds = ["--seed", str(seed), "--split-seed", "0"]
            assert train.main([*command, *seeds, "--out", str(out)]) == 0
    return outs


def parts_of(run: Path) -> str:
    return (run / "split.csv").read_text()


def test_runs_with_other_weights_can_share_a_split(runs: list[Path]) -> None:
    first, second = (checkpoint.load(run / "checkpoint.safetensors") for run in runs)

    assert parts_of(runs[0]) == parts_of(runs[1])
    assert first.sha256 != second.sha256


def test_what_teachers_say_is_the_mean_of_each(runs: list[Path], films: Path) -> None:
    cpu = torch.device("cpu")
    batch = engine.to_batch(
        decode(find_films(films), 40, runs[0].parent / "cache")[[0, 9, 18]], cpu
    )
    each = [teachers.load([run], 40, cpu)(batch) for run in runs]

    both = teachers.load(runs, 40, cpu)(batch)

    assert both.shape == (3, 3)
    np.testing.assert_allclose(both, (each[0] + each[1]) / 2, rtol=1e-6)
    assert not np.allclose(each[0], each[1])


def test_a_network_comes_to_say_what_its_teachers_say(
    command: list[str],
    runs: list[Path],
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(runs[0].parent))
    taught, alone = tmp_path / "taught", tmp_path / "alone"
    long = tmp_path / "long.toml"
    long.write_text(RECIPE.replace("epochs = 1", "epochs = 6"))
    command = ["--data", str(films), "--recipe", str(long), "--device", "cpu", "--split-seed", "0"]
    names = [str(run) for run in runs]

    assert train.main([*command, "--out", str(taught), "--teachers", *names]) == 0
    assert train.main([*command, "--out", str(alone)]) == 0

    cpu = torch.device("cpu")
    decoded = decode(find_films(films), 40, tmp_path / "cache")
    batch = engine.to_batch(decoded[np.arange(len(decoded))], cpu)
    wanted = teachers.load(runs, 40, cpu)(batch)
    apart = {
        run: float((teachers.load([run], 40, cpu)(batch) - wanted).abs().mean())
        for run in (taught, alone)
    }
    assert apart[taught] < apart[alone]
    described = checkpoint.load(taught / "checkpoint.safetensors").description
    versions = [checkpoint.load(run / "checkpoint.safetensors").model_version for run in runs]
    assert described.training_config["teachers"] == versions
    assert json.loads((taught / "run.json").read_text())["teachers"] == names


def test_a_teacher_that_learned_from_what_is_measured_is_refused(
    command: list[str],
    runs: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(runs[0].parent))
    other = ["--split-seed", "5", "--teachers", str(runs[0])]

    assert train.main([*command, *other, "--out", str(tmp_path / "run")]) == 2

    said = capsys.readouterr().err
    assert "kept for choosing and measuring" in said
    assert "--split-seed" in said


def test_a_teacher_that_reads_another_size_is_refused(runs: list[Path]) -> None:
    with pytest.raises(SettingsError, match="40 pixels"):
        teachers.load(runs, 64, torch.device("cpu"))
