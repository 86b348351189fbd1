"""Calibration of a trained network: temperature, operating points and scale of its heatmaps.

Everything is fitted on the tune films alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from cxr_app.evaluation.metrics import Booleans, Floats, confusion
from cxr_app.model.evidence import forward_with_map, to_activation_map
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from cxr_app.prediction import HeatScale, OperatingPoint
from training.data.splits import Indices
from training.fit.batches import normalise, to_batch
from training.fit.run_data import RunData

BALANCED_SENSITIVITY = 0.98
"""Sensitivity that the balanced point aims at among thresholds that are about equally good.

On films that it was not chosen on, the sensitivity of a point is about 0.005 lower.
"""
EQUALLY_WELL = 0.02
"""Margin in sensitivity plus specificity; a few hundred films show no smaller difference."""

HIGH_SENSITIVITY = 0.99
"""Sensitivity of the high-sensitivity point: a missed pneumonia is worse than a false alarm."""

COOLEST, HOTTEST = 0.5, 8.0
"""Limits of the temperature: a few tune films that happen to be classified perfectly have none."""

BATCH_SIZE = 64

BLANK_SHARE = 0.95
"""Share of the tune films without pneumonia that show no heat anywhere."""
LEAST_RANGE = 1.0
"""Smallest range of log-odds between no heat and full colour, reached by a poor network only."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a checkpoint needs besides weights to turn logits into a prediction."""

    temperature: float
    operating_points: Mapping[str, OperatingPoint]
    heat_scale: HeatScale


def calibrate(model: GridNetwork, data: RunData, spec: InputSpec) -> Calibration:
    """Fit temperature, operating points and heat scale on the tune films."""
    truth = data.targets[data.split.tune]
    logits, raw = logits_and_maps(model, data, data.split.tune, spec)
    temperature = fit_temperature(logits, model.own_targets(torch.from_numpy(truth)))
    points = operating_points(pneumonia_of(logits / temperature), truth > 0)
    maps = to_activation_map(raw, logits, temperature, points["balanced"].threshold)
    heat_scale = _heat_scale(maps.amax(dim=(1, 2)).numpy(), truth > 0)
    return Calibration(temperature, points, heat_scale)


def logits_and_maps(
    model: GridNetwork, data: RunData, part: Indices, spec: InputSpec
) -> tuple[Tensor, Tensor]:
    """Read films as the classifier does: logits ``(n, C)`` and maps, on the CPU."""
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(part), BATCH_SIZE):
        films = data.pixels[spec.size][part[start : start + BATCH_SIZE]]
        with torch.inference_mode():
            reading = forward_with_map(model, normalise(to_batch(films, device), spec))
        parts.append((reading.logits.float().cpu(), reading.maps.float().cpu()))
    return torch.cat([logits for logits, _ in parts]), torch.cat([raw for _, raw in parts])


def pneumonia_of(logits: Tensor) -> Floats:
    """Convert logits ``(n, C)`` to probabilities of pneumonia ``(n,)``."""
    probabilities: Floats = (1 - logits.double().softmax(dim=1)[:, 0]).numpy()
    return probabilities


def _heat_scale(peaks: NDArray[np.float32], pneumonia: Booleans) -> HeatScale:
    """Choose the scale of all heatmaps from the peaks of films with and without pneumonia."""
    begin = float(np.quantile(peaks[~pneumonia], BLANK_SHARE))
    full = float(np.median(peaks[pneumonia]))
    return HeatScale(begin, max(full, begin + LEAST_RANGE))


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """Find the temperature with the lowest loss on the tune films.

    The loss is that of all three classes: the causes are hard to distinguish, which keeps the
    probabilities of pneumonia less extreme than films like the training films alone would make
    them. Label smoothing and random borders make a network underconfident, also about films of a
    series that it never saw; the model card says how much.

    Parameters
    ----------
    logits, targets
        ``(n, 3)`` and ``(n,)``, classes as in `networks.CLASSES`.

    References
    ----------
    Guo et al. 2017, section 4.2.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits.double() / float(np.exp(log_temperature))
        return float(functional.cross_entropy(scaled, targets))

    best = minimize_scalar(loss, bounds=np.log([COOLEST, HOTTEST]), method="bounded")
    return float(np.exp(best.x))


def operating_points(probabilities: Floats, pneumonia: Booleans) -> Mapping[str, OperatingPoint]:
    """Choose the two thresholds on the tune films.

    *balanced*: sensitivity and specificity have the same weight (Youden 1950). On films like the
    training films a wide range of thresholds is about equally good. On others it is not: a network
    that never saw the series NORMAL2 flags one in ten of its films, and none of its own series, so
    that the specificity on the tune films means little. Within the range, the thresholds whose
    sensitivity is nearest to `BALANCED_SENSITIVITY` are used.
    *high_sensitivity*: the highest threshold that still flags 99 of 100 films with pneumonia,
    but never above *balanced*.
    """
    candidates = _between(probabilities)
    points = [_point("balanced", probabilities, pneumonia, threshold) for threshold in candidates]
    youden = np.array([point.sensitivity + point.specificity for point in points])
    good = np.flatnonzero(youden >= youden.max() - EQUALLY_WELL)
    distance = np.abs([points[index].sensitivity - BALANCED_SENSITIVITY for index in good])
    nearest = good[distance <= distance.min() + 1e-9]
    middle = float(np.mean(candidates[nearest[[0, -1]]]))
    sensitive = [
        point.threshold
        for point in points
        if point.sensitivity >= HIGH_SENSITIVITY and point.threshold <= middle
    ]
    lowest = float(candidates[0])
    return {
        "balanced": _point("balanced", probabilities, pneumonia, middle),
        "high_sensitivity": _point(
            "high_sensitivity", probabilities, pneumonia, max(sensitive, default=lowest)
        ),
    }


def _between(probabilities: Floats) -> NDArray[np.float64]:
    """Return the thresholds that separate films: halfway between neighbouring probabilities."""
    values = np.unique(np.concatenate([[0.0], probabilities, [1.0]]))
    middles: NDArray[np.float64] = (values[1:] + values[:-1]) / 2
    return middles


def _point(
    name: str, probabilities: Floats, pneumonia: Booleans, threshold: float
) -> OperatingPoint:
    """Measure one threshold."""
    counts = confusion(probabilities, pneumonia, threshold)
    return OperatingPoint(
        name="balanced" if name == "balanced" else "high_sensitivity",
        threshold=float(threshold),
        sensitivity=counts.sensitivity,
        specificity=counts.specificity,
    )
