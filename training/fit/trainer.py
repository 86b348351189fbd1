"""Training one network of a run: the epochs not done yet, and the best weights among all."""

import csv
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch.nn import functional

from cxr_app.errors import SettingsError
from cxr_app.evaluation.metrics import auroc
from cxr_app.model import checkpoint
from cxr_app.model.device import device_name
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from training.data.dataset import Films
from training.data.extra_films import StackedFilms
from training.data.splits import Indices
from training.fit import epochs, resume_state
from training.fit.calibration import pneumonia_of
from training.fit.recipe import Recipe
from training.fit.resume_state import EpochRecords
from training.fit.run_data import RunData
from training.fit.training_state import TrainingState, initial_state

logger = logging.getLogger(__name__)


def no_callback(records: EpochRecords) -> None:
    """Do nothing (default progress callback)."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where and how a recipe is trained; `exact`, `extra_films` and `adults` change the result.

    Parameters
    ----------
    out
        Folder of the run.
    cache
        Folder for decoded films.
    device
        As `CXR_DEVICE`.
    exact
        Whether to compute in single precision even if half would be faster.
    extra_films
        Folder of films from elsewhere that are also trained on; None for none.
    adults
        Folder of adults' films with ``labels.csv``; None for none.
    on_epoch
        Called with the epochs so far after each one.
    """

    out: Path
    cache: Path
    device: str = "auto"
    exact: bool = False
    extra_films: Path | None = None
    adults: Path | None = None
    on_epoch: Callable[[EpochRecords], None] = no_callback


def fit(
    fabric: Fabric,
    recipe: Recipe,
    data: RunData,
    spec: InputSpec,
    run: TrainingRun,
    earlier: EpochRecords,
) -> EpochRecords:
    """Run the remaining epochs; write the best weights of the last stage as they are found.

    Parameters
    ----------
    earlier
        The epochs of the members that were trained before.

    Returns
    -------
    EpochRecords
        The earlier epochs, and the network's own.
    """
    steps = _steps(recipe, data)
    state = initial_state(fabric, recipe, spec, sum(steps))
    records = resume_state.resume(run.out, state, steps)
    if records:
        logger.info("%s: going on after epoch %d", recipe.architecture, len(records))
    reported = _report(run, fabric, earlier, records)
    while len(records) < recipe.epochs and not _is_stuck(_losses(records, recipe), recipe.patience):
        record = fabric.broadcast(_epoch(state, data, len(records)))  # of the first process
        best = min(_losses(records, recipe), default=float("inf"))
        records.append(record)
        if fabric.is_global_zero:
            is_best = min(_losses(records, recipe), default=best) < best
            _save(run.out, state, records, is_best=is_best)
        reported = _report(run, fabric, earlier, records)
        minutes = (recipe.epochs - len(records)) * record["seconds"] / 60
        message = "%s, about %.0f min left for %s"
        logger.info(message, json.dumps(record), minutes, recipe.architecture)
    return reported


def _report(
    run: TrainingRun, fabric: Fabric, earlier: EpochRecords, own: EpochRecords
) -> EpochRecords:
    """Write and report the epochs of all networks so far, numbered consecutively."""
    records = [*earlier, *({**each, "epoch": len(earlier) + each["epoch"]} for each in own)]
    if records and fabric.is_global_zero:
        write_records(run.out, records)
    run.on_epoch(records)
    return records


def best_of(recipe: Recipe, out: Path) -> GridNetwork:
    """Load the best weights of a trained network.

    Raises
    ------
    SettingsError
        If there are none.
    """
    best = resume_state.best_weights_path(out, recipe.architecture)
    if not best.exists():
        raise SettingsError(
            f"The recipe {recipe.name} learned nothing: the loss of {recipe.architecture} on the "
            "tune films was never a number. Lower its learning_rate."
        )
    return resume_state.load_network(recipe.architecture, best)


def _steps(recipe: Recipe, data: RunData) -> list[int]:
    """Count the steps of each epoch."""
    films = (len(_epoch_films(recipe, data, epoch)[2]) for epoch in range(recipe.epochs))
    return [epochs.steps_in_epoch(shown, recipe.batch_size) for shown in films]


def _epoch_films(
    recipe: Recipe, data: RunData, epoch: int
) -> tuple[Films | StackedFilms, NDArray[np.int64], Indices]:
    """Return films, their classes, and the indices of those that an epoch shows."""
    stage = recipe.stage_at(epoch)
    own, extra = data.pixels[stage.size], data.extra
    if extra is None or not stage.further_films:
        return own, data.targets, data.split.train
    sampled = extra.sample(stage.further_films, recipe.seed * 10_007 + epoch)
    return (
        StackedFilms(own, extra.pixels[stage.size]),
        np.concatenate([data.targets, extra.targets]),
        np.concatenate([data.split.train, len(own) + sampled]),
    )


def _losses(records: EpochRecords, recipe: Recipe) -> list[float]:
    """Return the losses on the tune films in epochs of the last stage; only these count."""
    before = recipe.epochs - recipe.stages[-1].epochs
    return [record["tune_loss"] for record in records if record["epoch"] > before]


def _save(out: Path, state: TrainingState, records: EpochRecords, *, is_best: bool) -> None:
    """Write the weights of an epoch if they are the best, and the state to resume from."""
    if is_best:  # rounded as in the checkpoint
        weights = checkpoint.rounded(state.averaged)
        best = resume_state.best_weights_path(out, state.recipe.architecture)
        resume_state.save_weights(best, weights)
    resume_state.save_state(out, state, records)


def _epoch(state: TrainingState, data: RunData, epoch: int) -> dict[str, Any]:
    """Train one epoch and measure the network on the tune films."""
    began = time.monotonic()
    size = state.recipe.stage_at(epoch).size
    loss = epochs.train_epoch(state, *_epoch_films(state.recipe, data, epoch), epoch)
    logits = epochs.logits_of(state.averaged, data.pixels[size], data.split.tune, state.spec)
    targets = data.targets[data.split.tune]
    classes = state.model.own_targets(torch.from_numpy(targets))
    return {
        "epoch": epoch + 1,
        "architecture": state.recipe.architecture,
        "size": size,
        "learning_rate": state.scheduler.get_last_lr()[0],
        "train_loss": loss,
        "tune_loss": float(functional.cross_entropy(logits, classes)),
        "tune_auroc": float(auroc(pneumonia_of(logits), targets > 0)),
        "seconds": round(time.monotonic() - began, 1),
        "device": f"{device_name(state.fabric.device)} × {state.fabric.world_size}",
    }


def write_records(out: Path, records: EpochRecords) -> None:
    """Write the epochs as JSON lines and as CSV."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    (out / "epochs.jsonl").write_text(text, encoding="utf-8")
    with (out / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def _is_stuck(losses: list[float], patience: int) -> bool:
    """Return whether none of the last `patience` epochs lowered the loss."""
    return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])
