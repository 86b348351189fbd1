"""What a run keeps on disk for itself: the state that a killed one goes on from, its weights."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from cxr_app.model import checkpoint, networks
from cxr_app.model.networks.base import GridNetwork
from training.fit.epochs import Learner


def state_of(out: Path, architecture: str) -> Path:
    """Name the file of the state of a network, in the folder of its run."""
    return out / f"{architecture}.state.safetensors"


def best_weights(out: Path, architecture: str) -> Path:
    """Name the file of the best weights of a network so far, in the folder of its run."""
    return out / f"{architecture}.best.safetensors"


def save_state(path: Path, learner: Learner, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write everything that the next epoch depends on, at once or not at all.

    Parameters
    ----------
    lines
        What is known of the epochs so far, one each.
    """
    tensors = {f"model.{name}": value for name, value in learner.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in learner.average.state_dict().items()}
    for index, state in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    metadata = {"lines": json.dumps(lines)}
    partial = path.with_suffix(".partial")
    save_file(
        {name: value.detach().clone().contiguous() for name, value in tensors.items()},
        partial,
        metadata=metadata,
    )
    partial.replace(path)


def load_state(path: Path, learner: Learner, steps_done: int) -> None:
    """Put a learner back where `save_state` left it."""
    tensors = load_file(path)
    learner.model.load_state_dict(_part(tensors, "model."))
    learner.average.load_state_dict(_part(tensors, "average."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimizer.").items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": state, "param_groups": groups})
    _catch_up(learner.scheduler, steps_done)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read what a saved state knows of its epochs."""
    with safe_open(path, framework="pt") as file:
        lines: list[dict[str, Any]] = json.loads(file.metadata()["lines"])
    return lines


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights at once or not at all."""
    partial = path.with_suffix(".partial")
    save_file(dict(weights), partial)
    partial.replace(path)


def load_network(architecture: str, path: Path) -> GridNetwork:
    """Build a network with the weights that `save_weights` wrote."""
    model = networks.build(architecture)
    checkpoint.fill(model, load_file(path))
    return model


def _catch_up(scheduler: LRScheduler, steps: int) -> None:
    """Set the learning rate to where it was after so many steps."""
    scheduler.load_state_dict(scheduler.state_dict() | {"last_epoch": steps - 1})
    with warnings.catch_warnings():  # the optimizer's steps were made by the run before
        warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
        scheduler.step()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors of one owner, without its name."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
