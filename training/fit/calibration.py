"""Probabilities that mean what they say, and the thresholds that belong to them.

Everything here is fitted on the tune films alone.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from cxr_app.evaluation.metrics import Booleans, Floats, confusion
from cxr_app.prediction import OperatingPoint

BALANCED_SENSITIVITY = 0.98
"""What the balanced point aims at among thresholds that do about equally well.

On films that it was not chosen on, a point comes out some half a hundredth lower.
"""
EQUALLY_WELL = 0.02
"""In sensitivity plus specificity; some hundred films cannot tell smaller differences."""

HIGH_SENSITIVITY = 0.99
"""What the high-sensitivity point is chosen for: a missed pneumonia is worse than a false alarm."""


COOLEST, HOTTEST = 0.5, 8.0
"""Temperatures: a few tune films that happen to be told apart without a fault want none at all."""


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """Find the temperature that makes the tune films' probabilities fit best.

    Of all three classes together: the causes are hard to tell, and so the probabilities of
    pneumonia are not made as extreme as films like the training films alone would have them.
    Label smoothing, and borders around films, make a network too modest also about films of a
    series that it never saw; how much, the model card tells.

    Parameters
    ----------
    logits, targets
        ``(n, 3)`` and ``(n,)``, classes as in `network.CLASSES`.

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

    *balanced*: sensitivity and specificity weigh the same (Youden 1950). On films like the
    training films a wide range of thresholds does about equally well. Elsewhere it does not:
    a network that never saw the series NORMAL2 flags one in ten of its films, and none of its own
    series, so its specificity on these films says little. Of that range the thresholds whose
    sensitivity comes nearest to `BALANCED_SENSITIVITY` are taken.
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
    """List the thresholds that tell films apart: half way between neighbours."""
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
