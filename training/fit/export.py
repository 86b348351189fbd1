"""From the best weights to a checkpoint: calibrate, measure, write."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.metrics import Floats
from cxr_app.model import checkpoint
from cxr_app.model.classes import CLASSES
from cxr_app.model.description import Description
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from cxr_app.settings import PROJECT
from training.data.anonymous import anonymous
from training.data.splits import counts_of
from training.fit import epochs
from training.fit.batches import normalise, to_batch
from training.fit.calibration import BATCH_SIZE, calibrate, logits_and_maps
from training.fit.recipe import Recipe
from training.fit.run_data import RunData
from training.measure.figures import measure_figures

SCREENING = PROJECT / "weights" / "screening.safetensors"
"""The shipped screening network, which every new checkpoint includes."""

STATISTICS_FILMS = 2048
"""Number of train films that the statistics of batch normalisation are measured on."""


def export(
    model: GridNetwork, recipe: Recipe, data: RunData, spec: InputSpec, out: Path
) -> dict[str, Any]:
    """Calibrate on the tune films, measure on the validation films, and write the checkpoint.

    The scores of the validation films are written beside it, for the page "Model performance".

    Returns
    -------
    dict
        The figures on the validation films, by the names of the contract, and the number of
        parameters.
    """
    device = next(model.parameters()).device
    epochs.recalibrate_batch_norm(model, _train_batches(data, spec, recipe.seed, device))
    calibration = calibrate(model, data, spec)
    validation = [data.films[index] for index in data.split.validation]
    probabilities = _validate(model, data, spec, calibration.temperature)
    threshold = calibration.operating_points["balanced"].threshold
    metrics = measure_figures(probabilities, validation, threshold)
    metrics |= {"parameters": epochs.parameters_of(model)}
    description = Description(
        name=recipe.name,
        architecture=recipe.architecture,
        input_spec=spec,
        temperature=calibration.temperature,
        operating_points=calibration.operating_points,
        heat_scale=calibration.heat_scale,
        classes=model.classes,
        training_config=recipe.as_document(),
        metrics=metrics,
        data_summary=_summary(data),
        git_commit=git_commit(),
    )
    version = write_checkpoint(out / "checkpoint.safetensors", model, description)
    scores = anonymous(
        probabilities,
        validation,
        model_version=version,
        data=data.source,
        partition="validation",
    )
    reference_scores.write(reference_scores.scores_path(out / "checkpoint.safetensors"), scores)
    metrics = metrics | {"model_version": version}
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    return metrics


def write_checkpoint(path: Path, model: GridNetwork, description: Description) -> str:
    """Write the checkpoint with the shipped screening network; return the model version."""
    weights = checkpoint.rounded(model)
    if SCREENING.exists():
        weights, description = checkpoint.with_screening(weights, description, SCREENING)
    sha256 = checkpoint.save(path, weights, description)
    return f"{description.name}-{sha256[:8]}"


def _summary(data: RunData) -> dict[str, Any]:
    """Count the films; those from elsewhere separately."""
    summary = dict(counts_of(data.films, data.split))
    if data.extra is not None:
        normal = int((data.extra.targets == 0).sum())
        summary["further"] = {"normal": normal, "pneumonia": len(data.extra.targets) - normal}
    return summary


def _train_batches(
    data: RunData, spec: InputSpec, seed: int, device: torch.device
) -> Iterator[Tensor]:
    """Yield batches of train films of all classes, without augmentation."""
    mixed = np.random.default_rng(seed).permutation(data.split.train)[:STATISTICS_FILMS]
    for start in range(0, len(mixed) - 1, BATCH_SIZE):
        films = data.pixels[spec.size][mixed[start : start + BATCH_SIZE]]
        yield normalise(to_batch(films, device), spec)


def _validate(model: GridNetwork, data: RunData, spec: InputSpec, temperature: float) -> Floats:
    """Compute the probabilities of the validation films; NaN for causes it does not distinguish."""
    part = data.split.validation
    logits, _ = logits_and_maps(model, data, part, spec)
    probabilities: Floats = (logits.double() / temperature).softmax(dim=1).numpy()
    if model.classes != CLASSES:
        unknown = np.full((len(part), 2), np.nan)
        probabilities = np.column_stack([probabilities[:, 0], unknown])
    return probabilities


def git_commit() -> str:
    """Return the commit of the program; empty outside a repository."""
    command = ["git", "-C", str(PROJECT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
