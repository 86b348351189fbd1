"""Files that a run keeps for itself: the state to resume from, and the best weights so far."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from cxr_app.atomic_file import atomic_path
from cxr_app.model import checkpoint, networks
from cxr_app.model.networks.base import GridNetwork
from training.fit.training_state import TrainingState

EpochRecords = Sequence[Mapping[str, Any]]
"""Losses, rate and time of the epochs so far, in order."""


def state_path(out: Path, architecture: str) -> Path:
    """Return the path of the state of a network, in the folder of its run."""
    return out / f"{architecture}.state.pt"


def old_state_path(out: Path, architecture: str) -> Path:
    """Return the path of the state in the form of versions before 0.2.0."""
    return out / f"{architecture}.state.safetensors"


def best_weights_path(out: Path, architecture: str) -> Path:
    """Return the path of the best weights of a network so far, in the folder of its run."""
    return out / f"{architecture}.best.safetensors"


def save_state(out: Path, state: TrainingState, records: EpochRecords) -> None:
    """Write everything that the next epoch depends on, atomically."""
    architecture = state.recipe.architecture
    document = {
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "scheduler": state.scheduler.state_dict(),
        "epochs": [dict(record) for record in records],
    }
    with atomic_path(state_path(out, architecture)) as partial:
        torch.save(document, partial)
    old_state_path(out, architecture).unlink(missing_ok=True)


def resume(out: Path, state: TrainingState, steps: Sequence[int]) -> list[dict[str, Any]]:
    """Restore the state after the last whole epoch, if there is one.

    Parameters
    ----------
    state
        As `initial_state` returns it; changed in place.
    steps
        Steps of each epoch.

    Returns
    -------
    list
        The records of the epochs done. Not from ``epochs.jsonl``, which may lack the last one.
    """
    architecture = state.recipe.architecture
    path, old_path = state_path(out, architecture), old_state_path(out, architecture)
    if path.exists():
        return _load(path, state)
    if old_path.exists():
        return _load_old(old_path, state, steps)
    return []


def _load(path: Path, state: TrainingState) -> list[dict[str, Any]]:
    """Restore what `save_state` wrote."""
    document = torch.load(path, map_location="cpu", weights_only=True)
    state.model.load_state_dict(document["model"])
    state.average.load_state_dict(document["average"])
    state.optimizer.load_state_dict(document["optimizer"])
    state.scheduler.load_state_dict(document["scheduler"])
    records: list[dict[str, Any]] = document["epochs"]
    return records


def _load_old(path: Path, state: TrainingState, steps: Sequence[int]) -> list[dict[str, Any]]:
    """Restore a state of versions before 0.2.0: tensors, with the epochs as metadata."""
    with safe_open(path, framework="pt") as file:
        records: list[dict[str, Any]] = json.loads(file.metadata()["lines"])
    tensors = load_file(path)
    state.model.load_state_dict(_with_prefix(tensors, "model."))
    state.average.load_state_dict(_with_prefix(tensors, "average."))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _with_prefix(tensors, "optimizer.").items():
        index, _, key = name.partition(".")
        moments.setdefault(int(index), {})[key] = value
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    _advance_schedule(state, sum(steps[: len(records)]))
    return records


def _advance_schedule(state: TrainingState, steps: int) -> None:
    """Set the learning rate to its value after a number of steps."""
    scheduler = state.scheduler
    scheduler.load_state_dict(scheduler.state_dict() | {"last_epoch": steps - 1})
    with warnings.catch_warnings():  # the interrupted run made the optimiser's steps
        warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
        scheduler.step()


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights atomically."""
    with atomic_path(path) as partial:
        save_file(dict(weights), partial)


def load_network(architecture: str, path: Path) -> GridNetwork:
    """Build a network with the weights that `save_weights` wrote."""
    model = networks.build(architecture)
    checkpoint.fill(model, load_file(path))
    return model


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, without the prefix."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
