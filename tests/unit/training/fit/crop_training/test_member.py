"""A member learns, restarts from its average, and is the same however often it is interrupted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cxr_app.jobs.recipe_schema import Recipe, Stage
from tests.unit.training.fit.crop_training.lessons import lesson_data
from training.fit.crop_training.lesson_data import LessonData
from training.fit.crop_training.lesson_settings import LessonSettings
from training.fit.crop_training.member import MemberRun, fit_member

SETTINGS = LessonSettings(shown={"normal": 8, "viral": 8, "AP_sick": 8}, restart_epochs=1)
RECIPE = Recipe(
    name="small", architecture="crop_and_film", stages=(Stage(32, 1), Stage(64, 2)), batch_size=8
)


@pytest.fixture(scope="module")
def data() -> LessonData:
    return lesson_data()


class ProcessEndedError(Exception):
    """Stands for a process that ends."""


def fitted(data: LessonData, folder: Path, stop_after: int = 99) -> Mapping[str, Tensor]:
    """Fit a member; raise when its process has done so many epochs."""
    fresh: list[int] = []

    def on_epoch(record: Mapping[str, Any]) -> None:
        fresh.append(record["epoch"])
        if record["epoch"] >= stop_after:
            raise ProcessEndedError

    return fit_member(data, MemberRun(folder, RECIPE, SETTINGS, 0, on_epoch)).state_dict()


@pytest.fixture(scope="module")
def whole(data: LessonData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "member"
    fitted(data, folder)
    return folder


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_member_that_was_interrupted_ends_with_the_same_weights(
    data: LessonData, whole: Path, tmp_path: Path, epoch: int
) -> None:
    """Epoch 2 ends the first cycle: the restart itself is interrupted."""
    folder = tmp_path / "member"
    with pytest.raises(ProcessEndedError):
        fitted(data, folder, stop_after=epoch)
    resumed, uninterrupted = fitted(data, folder), fitted(data, whole)
    for name, weight in resumed.items():
        assert torch.equal(weight, uninterrupted[name]), name


def test_a_restart_begins_with_a_new_learning_rate(whole: Path) -> None:
    state = torch.load(whole / "state.pt", weights_only=True)
    assert [record["epoch"] for record in state["records"]] == [1, 2, 3]
    assert state["schedule"]["total_steps"] == 3  # three batches of the last epoch alone
    assert state["optimizer"]["param_groups"][1]["max_lr"] == pytest.approx(
        RECIPE.learning_rate * SETTINGS.restart_rate
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
def test_a_member_learns_on_a_gpu_and_comes_back_from_it(data: LessonData, tmp_path: Path) -> None:
    records: list[Mapping[str, Any]] = []
    device = torch.device("cuda")
    run = MemberRun(tmp_path / "member", RECIPE, SETTINGS, 0, records.append, device)
    network = fit_member(data, run)
    assert {weight.device.type for weight in network.state_dict().values()} == {"cpu"}
    assert [record["device"].split()[0] for record in records] == ["GPU"] * RECIPE.epochs
