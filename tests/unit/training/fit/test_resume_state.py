"""A state is restored exactly, also from the form of older versions."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from cxr_app.model.preprocessing import InputSpec
from training.fit import distributed, resume_state
from training.fit.recipe import Recipe, Stage
from training.fit.training_state import TrainingState, initial_state

RECORDS = [{"epoch": 1, "tune_loss": 0.5, "seconds": 1.5, "device": "CPU × 1"}]
STEPS = [3, 3]


def new_state() -> TrainingState:
    recipe = Recipe("test", "resnet18", (Stage(32, 2),))
    return initial_state(distributed.set_up("cpu", exact=True), recipe, InputSpec(32, 0.5, 0.2), 6)


def train(state: TrainingState, steps: int) -> None:
    """Make steps on films that depend on the number of steps so far."""
    state.model.train()
    for _ in range(steps):
        torch.manual_seed(state.scheduler.last_epoch)
        state.optimizer.zero_grad()
        state.model(torch.randn(2, 1, 32, 32)).square().mean().backward()
        state.optimizer.step()
        state.scheduler.step()
        state.average.update_parameters(state.model)


def write_old_form(out: Path, state: TrainingState) -> None:
    """Write the state as versions before 0.2.0 did."""
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    save_file(
        {name: value.detach().clone().contiguous() for name, value in tensors.items()},
        out / "resnet18.state.safetensors",
        metadata={"lines": json.dumps(RECORDS)},
    )


def everything(state: TrainingState) -> dict[str, Any]:
    return {
        **{f"model {name}": value for name, value in state.model.state_dict().items()},
        **{f"average {name}": value for name, value in state.average.state_dict().items()},
        "learning rate": torch.tensor(state.scheduler.get_last_lr()),
    }


@pytest.mark.parametrize("form", ["new", "old"])
def test_a_resumed_run_trains_as_an_uninterrupted_one(tmp_path: Path, form: str) -> None:
    whole = new_state()
    train(whole, STEPS[0])
    if form == "new":
        resume_state.save_state(tmp_path, whole, RECORDS)
    else:
        write_old_form(tmp_path, whole)
    resumed = new_state()

    records = resume_state.resume(tmp_path, resumed, STEPS)

    assert records == RECORDS
    train(whole, STEPS[1])
    train(resumed, STEPS[1])
    expected, found = everything(whole), everything(resumed)
    assert found.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name])


def test_the_next_epoch_replaces_the_old_form(tmp_path: Path) -> None:
    state = new_state()
    train(state, STEPS[0])
    write_old_form(tmp_path, state)

    resume_state.save_state(tmp_path, state, RECORDS)

    assert [path.name for path in tmp_path.iterdir()] == ["resnet18.state.pt"]


def test_nothing_is_restored_without_a_state(tmp_path: Path) -> None:
    assert resume_state.resume(tmp_path, new_state(), STEPS) == []
