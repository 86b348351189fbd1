"""Batch normalisation over several processes: torch's own on CUDA, ours on the CPU."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from cxr_app.errors import SettingsError
from cxr_app.model.networks import build
from training.fit import distributed


def fabric(device: str, processes: int) -> Any:
    """Return a substitute for Fabric on hardware that this machine does not have."""
    return SimpleNamespace(
        device=torch.device(device), world_size=processes, setup_module=lambda model: model
    )


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_every_normalisation_is_synchronised_and_keeps_its_weights(device: str) -> None:
    model = build("resnet18")
    before = {name: value.clone() for name, value in model.state_dict().items()}

    together = distributed.parallel(fabric(device, 2), model)

    layers = [layer for layer in together.modules() if "BatchNorm" in type(layer).__name__]
    assert layers
    expected = nn.SyncBatchNorm if device == "cuda" else distributed._CpuSyncBatchNorm
    assert all(type(layer) is expected for layer in layers)
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_single_process_changes_nothing() -> None:
    model = build("resnet18")
    assert distributed.parallel(fabric("cuda", 1), model) is model
    assert not any(isinstance(layer, nn.SyncBatchNorm) for layer in model.modules())


@pytest.mark.parametrize(("processes", "refused"), [("", False), ("1", False), ("2", True)])
def test_several_processes_are_refused_for_a_recipe_of_one(
    processes: str, *, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if processes:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run")
        monkeypatch.setenv("WORLD_SIZE", processes)
    refusal = pytest.raises(SettingsError, match="started 2")
    with refusal if refused else nullcontext():
        distributed.refuse_several("crop_and_film")
