"""A recipe whose network joins two that are trained one after the other."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cxr_app.model import checkpoint
from tests.support.films import write_kaggle_folder
from tests.support.run_folder import epochs_of, metrics_of
from training import train

PATIENTS = 20
NETWORKS = ("resnet18", "resnet18_coarse")
EPOCHS = 2


def write_recipe(path: Path, architecture: str, *trained: str) -> Path:
    stages = [f'{{size = 65, epochs = {EPOCHS}, architecture = "{name}"}}' for name in trained]
    text = f'architecture = "{architecture}"\nbatch_size = 16\nstages = [{", ".join(stages)}]'
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("joined")
    write_kaggle_folder(place / "films", PATIENTS)
    return place


def run(place: Path, recipe: Path, out: Path) -> Path:
    command = ["--data", str(place / "films"), "--recipe", str(recipe), "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_DATA_DIR", str(place))
        assert train.main([*command, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def run_dir(place: Path) -> Path:
    """A finished run."""
    recipe = write_recipe(place / "joined.toml", "resnet18_two_scales", *NETWORKS)
    return run(place, recipe, place / "whole")


def test_epochs_are_numbered_consecutively(run_dir: Path) -> None:
    lines = epochs_of(run_dir)

    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert [line["architecture"] for line in lines] == [*NETWORKS[:1] * 2, *NETWORKS[1:] * 2]
    rates = [line["learning_rate"] for line in lines]
    assert rates[1] < rates[0]
    assert rates[2:] == pytest.approx(rates[:2]), "the second network had no schedule of its own"


def test_each_network_is_the_same_as_trained_alone(place: Path, run_dir: Path) -> None:
    recipe = write_recipe(place / "alone.toml", "resnet18", "resnet18")

    alone = load_file(run(place, recipe, place / "alone") / "resnet18.best.safetensors")

    within = load_file(run_dir / "resnet18.best.safetensors")
    assert within.keys() == alone.keys()
    assert all(torch.equal(within[name], alone[name]) for name in alone)


def test_the_checkpoint_holds_both(run_dir: Path) -> None:
    source = checkpoint.load(run_dir / "checkpoint.safetensors")
    fine, coarse = (load_file(run_dir / f"{name}.best.safetensors") for name in NETWORKS)

    assert source.description.architecture == "resnet18_two_scales"
    assert torch.equal(source.weights["body.fine.conv1.weight"], fine["body.conv1.weight"])
    assert torch.equal(source.weights["body.coarse.conv1.weight"], coarse["body.conv1.weight"])
    assert source.weights["linear.weight"].shape == (3, 512 + 256)


def test_a_run_interrupted_between_both_resumes(place: Path, run_dir: Path) -> None:
    out = shutil.copytree(run_dir, place / "between")
    for path in (*out.glob("resnet18_coarse.*"), out / "checkpoint.safetensors"):
        path.unlink()
    (out / "metrics.json").unlink()

    run(place, place / "joined.toml", out)

    def timeless(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [line | {"seconds": 0} for line in lines]

    assert timeless(epochs_of(out)) == timeless(epochs_of(run_dir))
    assert metrics_of(out) | {"model_version": ""} == metrics_of(run_dir) | {"model_version": ""}
