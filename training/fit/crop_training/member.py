"""One member of the lung-crop network while it learns, from its first weights to its average."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cxr_app.atomic_file import atomic_path
from cxr_app.evaluation.metrics import auroc
from cxr_app.jobs.recipe_schema import Recipe
from cxr_app.model.device import device_name
from cxr_app.model.networks.evidence_pyramid import EvidencePyramid
from cxr_app.settings import PROJECT
from training.fit.crop_training.crop_batches import CropBatch, make_batch
from training.fit.crop_training.lesson_data import LessonData, crop_film
from training.fit.crop_training.lesson_films import CHILDREN, NORMAL
from training.fit.crop_training.lesson_settings import LessonSettings
from training.fit.crop_training.sampling import Sampler

logger = logging.getLogger(__name__)

IMAGENET = PROJECT / "weights" / "imagenet_lite0.safetensors"
CAUSE_SMOOTHING = 0.05
ADULT_WEIGHT = 0.2
LARGEST_GRADIENT = 5.0
WARM_UP = 0.15
READ_BATCH = 32
CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class MemberRun:
    """Where a member keeps its state, and how it learns.

    Parameters
    ----------
    folder
        Gets ``state.pt`` and ``average.safetensors``.
    recipe, settings
        How it learns.
    fold
        Adults of this fold are not learned from.
    on_epoch
        Called with the record of each epoch, those of an earlier process included.
    device
        Where it learns, in single precision: with such batches a GPU waits for the CPU that
        launches its work.
    """

    folder: Path
    recipe: Recipe
    settings: LessonSettings
    fold: int
    on_epoch: Callable[[dict[str, Any]], None]
    device: torch.device = CPU


def fit_member(data: LessonData, run: MemberRun) -> EvidencePyramid:
    """Run the epochs that are left, and return the network of averaged weights, on the CPU."""
    run.folder.mkdir(parents=True, exist_ok=True)
    learner = _Learner(data, run)
    learner.resume()
    while learner.epochs_done < run.recipe.epochs:
        learner.epoch()
    return learner.averaged.to(CPU)


def member_loss(
    network: EvidencePyramid, batch: CropBatch, smoothing: float, settings: LessonSettings
) -> Tensor:
    """Return the loss of film, cause, cells and age together."""
    outputs = network(batch.crops)
    cross = functional.binary_cross_entropy_with_logits
    target = batch.sick * (1 - smoothing) + (1 - batch.sick) * smoothing
    film = cross(outputs.log_odds, target, reduction="none") * batch.weight
    viral = (1 - 2 * CAUSE_SMOOTHING) * batch.viral + CAUSE_SMOOTHING
    cause = cross(outputs.cause, viral, reduction="none") * batch.has_cause
    cells = cross(outputs.cells, batch.cells, reduction="none") * batch.cell_weight
    adult = cross(outputs.adult, batch.adult, reduction="none") * batch.age_is_known
    loss: Tensor = (
        film.mean()
        + settings.cause_weight * cause.mean()
        + settings.cell_weight * cells.mean()
        + ADULT_WEIGHT * adult.mean()
    )
    return loss


def read_crops(
    network: EvidencePyramid, data: LessonData, chosen: NDArray[np.intp], side: int
) -> dict[str, NDArray[np.float32]]:
    """Read films as they are, on the device of the network.

    Returns
    -------
    dict
        ``cells`` ``(n, h, w)``; ``log_odds``, ``cause`` and ``adult`` ``(n,)``.
    """
    network.eval()
    device = next(network.parameters()).device
    parts: dict[str, list[Tensor]] = {"cells": [], "log_odds": [], "cause": [], "adult": []}
    with torch.inference_mode():
        for start in range(0, len(chosen), READ_BATCH):
            places = chosen[start : start + READ_BATCH]
            crops = np.stack([crop_film(data.table.pixels[i], data.boxes[i], side) for i in places])
            outputs = network(torch.from_numpy(crops).to(device).float().div(255)[:, None])
            for name, values in parts.items():
                values.append(getattr(outputs, name).cpu())
    return {name: torch.cat(values).numpy() for name, values in parts.items()}


class _Learner:
    def __init__(self, data: LessonData, run: MemberRun) -> None:
        torch.manual_seed(run.recipe.seed)
        self._data, self._run = data, run
        self._generator = torch.Generator(run.device).manual_seed(run.recipe.seed + 1)
        learning = (data.table.parts == "train") & (data.table.targets >= NORMAL)
        learning &= data.table.folds != run.fold
        self._sampler = Sampler(data, learning, run.settings, run.recipe.seed)
        network = first_weights(run.recipe, run.settings)
        self._network = network.to(run.device).to(memory_format=torch.channels_last)
        self._cycles = run.settings.cycles(run.recipe.epochs)
        self._begin_cycle(0)
        self._records: list[dict[str, Any]] = []

    @property
    def epochs_done(self) -> int:
        return len(self._records)

    @property
    def averaged(self) -> EvidencePyramid:
        averaged = self._average.module
        if not isinstance(averaged, EvidencePyramid):
            raise TypeError(f"unexpected network {type(averaged)}")
        return averaged.eval()

    def resume(self) -> None:
        path = self._run.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self._run.device, weights_only=True)
        self._begin_cycle(self._cycle_of(len(state["records"]) - 1))
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._records = state["records"]
        for record in self._records:
            self._run.on_epoch(record)

    def epoch(self) -> None:
        """Show the films of one epoch, and keep what a later process resumes from."""
        began, stage = time.monotonic(), self._run.recipe.stage_at(self.epochs_done)
        number = self.epochs_done
        cycle = self._cycle_of(number)
        if number and number == self._cycles[cycle].start:
            self._network.load_state_dict(self.averaged.state_dict())
            self._begin_cycle(cycle)
        torch.manual_seed(self._run.recipe.seed * 10_007 + number)
        self._generator.manual_seed(self._run.recipe.seed * 10_007 + number)
        settings = self._run.settings.at(number, self._run.recipe.epochs)
        self._network.train()
        losses = [
            self._step(chosen, stage.size, settings)
            for chosen in self._sampler.epoch(number, self._run.recipe.batch_size)
        ]
        record = {
            "epoch": len(self._records) + 1,
            "architecture": self._run.folder.name,
            "size": stage.size,
            "learning_rate": self._schedule.get_last_lr()[-1],
            "train_loss": float(np.mean(losses)),
            **self._measure_tune(stage.size),
            "seconds": round(time.monotonic() - began, 1),
            "device": device_name(self._run.device),
        }
        self._records.append(record)
        self._keep()
        logger.info("%s", json.dumps(record))
        self._run.on_epoch(record)

    def _cycle_of(self, epoch: int) -> int:
        return next(at for at, cycle in enumerate(self._cycles) if epoch in cycle)

    def _begin_cycle(self, cycle: int) -> None:
        """Start average, optimizer and schedule from the weights of now."""
        run = self._run
        self._average = AveragedModel(
            self._network,
            multi_avg_fn=get_ema_multi_avg_fn(run.recipe.average_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        rate = run.recipe.learning_rate * (run.settings.restart_rate if cycle else 1.0)
        steps = len(self._cycles[cycle]) * self._sampler.batches(run.recipe.batch_size)
        self._optimizer, self._schedule = _optimizer(self._network, run, rate, steps)

    def _step(self, chosen: NDArray[np.intp], side: int, settings: LessonSettings) -> float:
        models = self._sampler.models(chosen, settings.foreign_look)
        batch = make_batch(self._data, chosen, models, side, settings, self._generator)
        loss = member_loss(self._network, batch, self._run.recipe.label_smoothing, settings)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), LARGEST_GRADIENT)
        self._optimizer.step()
        self._schedule.step()
        self._average.update_parameters(self._network)
        return loss.item()

    def _keep(self) -> None:
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "records": self._records,
        }
        with atomic_path(self._run.folder / "state.pt") as path:
            torch.save(state, path)
        weights = self.averaged.state_dict()
        weights = {name: each.cpu().contiguous() for name, each in weights.items()}
        with atomic_path(self._run.folder / "average.safetensors") as path:
            save_file(weights, path)

    def _measure_tune(self, side: int) -> dict[str, float]:
        """Measure the children's tune films."""
        table = self._data.table
        tune = np.flatnonzero((table.parts == "tune") & (table.sources == CHILDREN))
        sick = table.targets[tune] > NORMAL
        outputs = read_crops(self.averaged, self._data, tune, side)["log_odds"].astype(np.float64)
        loss = np.logaddexp(0, outputs) - sick * outputs
        return {"tune_loss": float(loss.mean()), "tune_auroc": float(auroc(outputs, sick))}


def first_weights(recipe: Recipe, settings: LessonSettings) -> EvidencePyramid:
    """Build the network; its body starts from ImageNet if the recipe says so, part of it frozen."""
    network = EvidencePyramid()
    if recipe.initialisation == "imagenet":
        weights = {name: each.float() for name, each in load_file(IMAGENET).items()}
        network.body.load_state_dict(weights, strict=False)
        network.body.freeze(settings.frozen_blocks)
    return network


def _optimizer(
    network: EvidencePyramid, run: MemberRun, rate: float, steps: int
) -> tuple[AdamW, OneCycleLR]:
    body = [each for each in network.body.parameters() if each.requires_grad]
    new = [each for name, each in network.named_parameters() if not name.startswith("body.")]
    groups: list[dict[str, Any]] = [{"params": body}, {"params": new}]
    optimizer = AdamW(groups, lr=rate, weight_decay=run.recipe.weight_decay)
    rates = [rate * run.settings.body_rate, rate]
    schedule = OneCycleLR(
        optimizer, rates, total_steps=steps, pct_start=WARM_UP, final_div_factor=100
    )
    return optimizer, schedule
