"""From the best weights to a checkpoint: calibrate, choose thresholds, measure, write."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.metrics import Booleans, Floats
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Description
from cxr_app.model.classifier import evidence, forward_with_map
from cxr_app.model.networks.base import CLASSES, GridNetwork
from cxr_app.model.preprocessing import InputSpec
from cxr_app.prediction import HeatScale
from cxr_app.settings import PROJECT
from training.data.anonymous import anonymous
from training.data.dataset import Films, LabelledFilm
from training.data.extra_films import FurtherFilms
from training.data.splits import Indices, Split, counts_of
from training.fit import epochs
from training.fit.calibration import fit_temperature, operating_points
from training.fit.recipe import Recipe
from training.measure.figures import measure_figures

SCREENING = PROJECT / "weights" / "screening.safetensors"
"""The shipped screening network, which every new checkpoint gets."""

SETTLING_FILMS = 2048
SETTLING_BATCH = 64

BLANK_SHARE = 0.95
"""Of the tune films without pneumonia: so many show no heat anywhere."""
LEAST_RANGE = 1.0
"""Log-odds between no heat and full colour where a poor network tells the classes hardly apart."""


@dataclass(frozen=True, slots=True)
class RunData:
    """The labelled films of a run.

    Parameters
    ----------
    pixels
        The decoded films by size, for every size that the recipe needs.
    targets
        Places in `network.CLASSES`, shape ``(n,)``.
    source
        The folder or manifest that they were found by.
    further
        Films from elsewhere; None for none.
    """

    films: list[LabelledFilm]
    pixels: Mapping[int, Films]
    targets: NDArray[np.int64]
    split: Split
    source: Path
    further: FurtherFilms | None = None


def finish(
    model: GridNetwork, recipe: Recipe, data: RunData, spec: InputSpec, out: Path
) -> dict[str, Any]:
    """Calibrate on the tune films, measure on the validation films, and write the checkpoint.

    Beside it goes what it says of the validation films, for the page that tells what it is worth.

    Returns
    -------
    dict
        The figures on the validation films, by the names of the contract, and the number of
        parameters.
    """
    epochs.recalibrate_batch_norm(
        model, _train_batches(data, spec, recipe.seed, next(model.parameters()).device)
    )
    truth = data.targets[data.split.tune]
    logits, raw = _look(model, data, data.split.tune, spec)
    temperature = fit_temperature(logits, model.own_targets(torch.from_numpy(truth)))
    points = operating_points(pneumonia_of(logits / temperature), truth > 0)
    threshold = points["balanced"].threshold
    maps = evidence(raw, logits, temperature, threshold)
    validation = [data.films[index] for index in data.split.validation]
    probabilities = _validate(model, data, spec, temperature)
    metrics = measure_figures(probabilities, validation, threshold)
    metrics |= {"parameters": epochs.parameters_of(model)}
    description = Description(
        name=recipe.name,
        architecture=recipe.architecture,
        input_spec=spec,
        temperature=temperature,
        operating_points=points,
        heat_scale=_heat_scale(maps.amax(dim=(1, 2)).numpy(), truth > 0),
        classes=model.classes,
        training_config=recipe.as_document(),
        metrics=metrics,
        data_summary=_summary(data),
        git_commit=_git_commit(),
    )
    weights = checkpoint.rounded(model)
    if SCREENING.exists():
        weights, description = checkpoint.with_screening(weights, description, SCREENING)
    sha256 = checkpoint.save(out / "checkpoint.safetensors", weights, description)
    version = f"{recipe.name}-{sha256[:8]}"
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


def _summary(data: RunData) -> dict[str, Any]:
    """Count the films, those from elsewhere apart."""
    summary = dict(counts_of(data.films, data.split))
    if data.further is not None:
        normal = int((data.further.targets == 0).sum())
        summary["further"] = {
            "normal": normal,
            "pneumonia": len(data.further.targets) - normal,
        }
    return summary


def _train_batches(
    data: RunData, spec: InputSpec, seed: int, device: torch.device
) -> Iterator[Tensor]:
    """Give train films as they are, all classes mixed; some two thousand are enough for a mean."""
    mixed = np.random.default_rng(seed).permutation(data.split.train)[:SETTLING_FILMS]
    for start in range(0, len(mixed) - 1, SETTLING_BATCH):
        films = data.pixels[spec.size][mixed[start : start + SETTLING_BATCH]]
        yield epochs.normalise(epochs.to_batch(films, device), spec)


def pneumonia_of(logits: Tensor) -> Floats:
    """Turn logits ``(n, C)`` into probabilities of pneumonia ``(n,)``."""
    probabilities: Floats = (1 - logits.double().softmax(dim=1)[:, 0]).numpy()
    return probabilities


def _look(
    model: GridNetwork, data: RunData, part: Indices, spec: InputSpec
) -> tuple[Tensor, Tensor]:
    """Read films as the classifier does: logits ``(n, C)`` and maps, on the CPU."""
    device = next(model.parameters()).device
    seen = []
    for start in range(0, len(part), SETTLING_BATCH):
        films = data.pixels[spec.size][part[start : start + SETTLING_BATCH]]
        with torch.inference_mode():
            logits, raw = forward_with_map(
                model, epochs.normalise(epochs.to_batch(films, device), spec)
            )
        seen.append((logits.float().cpu(), raw.float().cpu()))
    return torch.cat([logits for logits, _ in seen]), torch.cat([raw for _, raw in seen])


def _validate(model: GridNetwork, data: RunData, spec: InputSpec, temperature: float) -> Floats:
    """Read the films that nothing was chosen on; the causes are NaN where none are told."""
    part = data.split.validation
    logits, _ = _look(model, data, part, spec)
    probabilities: Floats = (logits.double() / temperature).softmax(dim=1).numpy()
    if model.classes != CLASSES:  # it knows no causes, and nobody guesses them
        unknown = np.full((len(part), 2), np.nan)
        probabilities = np.column_stack([probabilities[:, 0], unknown])
    return probabilities


def _heat_scale(peaks: NDArray[np.float32], pneumonia: Booleans) -> HeatScale:
    """Fix the scale of all heatmaps by what tune films with and without pneumonia reach."""
    begin = float(np.quantile(peaks[~pneumonia], BLANK_SHARE))
    full = float(np.median(peaks[pneumonia]))
    return HeatScale(begin, max(full, begin + LEAST_RANGE))


def _git_commit() -> str:
    """Name the commit of the program; empty outside a repository."""
    command = ["git", "-C", str(PROJECT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
