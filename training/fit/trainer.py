"""One network of a run: its epochs from where they were left, and the best weights among them."""

import csv
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
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
from cxr_app.model.classifier import name_of
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from training.data.dataset import Films
from training.data.extra_films import Stack
from training.data.splits import Indices
from training.fit import epochs, resume_state
from training.fit.export import RunData, pneumonia_of
from training.fit.recipe import Recipe

logger = logging.getLogger(__name__)

EpochRecords = Sequence[Mapping[str, Any]]
"""What is known of the epochs so far, one each."""


def no_callback(lines: EpochRecords) -> None:
    """Stand where nobody follows a run."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where and how a recipe is carried out; none of it changes what is learned but `exact`.

    Parameters
    ----------
    out
        Folder of the run.
    cache
        Folder for decoded films.
    device
        As `CXR_DEVICE`.
    exact
        Whether to compute in single precision also where half would be faster.
    further
        Folder of films from elsewhere to learn from besides; None for none.
    tell
        Is given the epochs so far whenever one is done.
    """

    out: Path
    cache: Path
    device: str = "auto"
    exact: bool = False
    further: Path | None = None
    tell: Callable[[EpochRecords], None] = no_callback


def fit(
    fabric: Fabric,
    recipe: Recipe,
    data: RunData,
    spec: InputSpec,
    run: TrainingRun,
    before: EpochRecords,
) -> EpochRecords:
    """Run the epochs that are left; keep the best weights of the last stage as they come.

    Parameters
    ----------
    before
        The epochs of the members that were trained before.

    Returns
    -------
    Lines
        These, and the network's own.
    """
    steps = _steps(recipe, data)
    learner = epochs.begin(fabric, recipe, spec, sum(steps))
    lines = _resume(learner, run.out, steps)
    told = _tell(run, fabric, before, lines)
    while len(lines) < recipe.epochs and not _is_stuck(_losses(lines, recipe), recipe.patience):
        line = fabric.broadcast(_epoch(learner, data, len(lines)))  # what the first process saw
        best = min(_losses(lines, recipe), default=float("inf"))
        lines.append(line)
        if fabric.is_global_zero:
            _keep(run.out, learner, lines, is_best=min(_losses(lines, recipe), default=best) < best)
        told = _tell(run, fabric, before, lines)
        left = (recipe.epochs - len(lines)) * line["seconds"] / 60
        words = "%s, about %.0f min left for %s"
        logger.info(words, json.dumps(line), left, recipe.architecture)
    return told


def _tell(
    run: TrainingRun, fabric: Fabric, before: EpochRecords, own: EpochRecords
) -> EpochRecords:
    """Write down and tell the epochs of all networks so far, counted through."""
    lines = [*before, *({**line, "epoch": len(before) + line["epoch"]} for line in own)]
    if lines and fabric.is_global_zero:
        _write_lines(run.out, lines)
    run.tell(lines)
    return lines


def best_of(recipe: Recipe, out: Path) -> GridNetwork:
    """Load the best weights of a trained network.

    Raises
    ------
    SettingsError
        If there are none.
    """
    best = resume_state.best_weights(out, recipe.architecture)
    if not best.exists():
        raise SettingsError(
            f"The recipe {recipe.name} learned nothing: the loss of {recipe.architecture} on the "
            "tune films was never a number. Lower its learning_rate."
        )
    return resume_state.load_network(recipe.architecture, best)


def _steps(recipe: Recipe, data: RunData) -> list[int]:
    """Count the steps of each epoch."""
    films = (len(_lesson(recipe, data, epoch)[2]) for epoch in range(recipe.epochs))
    return [epochs.steps_in_epoch(shown, recipe.batch_size) for shown in films]


def _lesson(
    recipe: Recipe, data: RunData, epoch: int
) -> tuple[Films | Stack, NDArray[np.int64], Indices]:
    """Give the films of an epoch, their classes, and the places of those that it shows."""
    stage = recipe.stage_at(epoch)
    own, further = data.pixels[stage.size], data.further
    if further is None or not stage.further_films:
        return own, data.targets, data.split.train
    drawn = further.drawn(stage.further_films, recipe.seed * 10_007 + epoch)
    return (
        Stack(own, further.pixels[stage.size]),
        np.concatenate([data.targets, further.targets]),
        np.concatenate([data.split.train, len(own) + drawn]),
    )


def _losses(lines: list[dict[str, Any]], recipe: Recipe) -> list[float]:
    """List the losses on the tune films in epochs of the last stage, the only ones that count."""
    before = recipe.epochs - recipe.stages[-1].epochs
    return [line["tune_loss"] for line in lines if line["epoch"] > before]


def _keep(
    out: Path, learner: epochs.Learner, lines: list[dict[str, Any]], *, is_best: bool
) -> None:
    """Write an epoch down: weights if they are the best, and the state to go on from."""
    architecture = learner.recipe.architecture
    if is_best:  # rounded as the checkpoint will hold them
        weights = checkpoint.rounded(learner.averaged)
        resume_state.save_weights(resume_state.best_weights(out, architecture), weights)
    resume_state.save_state(resume_state.state_of(out, architecture), learner, lines)


def _resume(learner: epochs.Learner, out: Path, steps: list[int]) -> list[dict[str, Any]]:
    """Go back to the last whole epoch of an interrupted run, if there is one."""
    state = resume_state.state_of(out, learner.recipe.architecture)
    if not state.exists():
        return []
    lines = resume_state.read_lines(state)  # not from epochs.jsonl, which may be an epoch behind
    resume_state.load_state(state, learner, sum(steps[: len(lines)]))
    logger.info("%s: going on after epoch %d", learner.recipe.architecture, len(lines))
    return lines


def _epoch(learner: epochs.Learner, data: RunData, epoch: int) -> dict[str, Any]:
    """Train one epoch and see what it did to the tune films."""
    began = time.monotonic()
    size = learner.recipe.stage_at(epoch).size
    loss = epochs.train_epoch(learner, *_lesson(learner.recipe, data, epoch), epoch)
    logits = epochs.logits_of(learner.averaged, data.pixels[size], data.split.tune, learner.spec)
    targets = data.targets[data.split.tune]
    classes = learner.model.own_targets(torch.from_numpy(targets))
    return {
        "epoch": epoch + 1,
        "architecture": learner.recipe.architecture,
        "size": size,
        "learning_rate": learner.scheduler.get_last_lr()[0],
        "train_loss": loss,
        "tune_loss": float(functional.cross_entropy(logits, classes)),
        "tune_auroc": auroc(pneumonia_of(logits), targets > 0),
        "seconds": round(time.monotonic() - began, 1),
        "device": f"{name_of(learner.fabric.device)} × {learner.fabric.world_size}",
    }


def _write_lines(out: Path, lines: EpochRecords) -> None:
    """Write the epochs as JSON lines and as CSV."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (out / "epochs.jsonl").write_text(text, encoding="utf-8")
    with (out / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def _is_stuck(losses: list[float], patience: int) -> bool:
    """Say whether the last `patience` epochs brought nothing better."""
    return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])
