"""How a picture's view is decided from the logits of the view network."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.model.screening import ViewClass

VIEWS = tuple(ViewClass)
"""Order of the logits."""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What is needed beside the weights; it travels with them.

    Parameters
    ----------
    size
        Side of the network's input in pixels.
    mean, standard_deviation
        Of the grey values that it learned from.
    least_frontal
        Log-odds of a frontal film (upright or mirrored) below which a picture is refused.
    least_mirrored
        Log-odds of mirrored against upright from which a film is remarked on.
    metrics, data_summary
        What was measured, and on what.
    """

    size: int
    mean: float
    standard_deviation: float
    least_frontal: float
    least_mirrored: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_summary: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.size < 16 or not self.standard_deviation > 0:
            raise ValueError(f"size {self.size} or deviation {self.standard_deviation} is too low")
        if not (math.isfinite(self.least_frontal) and math.isfinite(self.least_mirrored)):
            raise ValueError("the thresholds must be finite numbers")


def frontal_log_odds(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of a frontal film, upright or mirrored, ``(B, 7) -> (B,)``."""
    frontal, others = (np.logaddexp.reduce(each, axis=1) for each in (logits[:, :2], logits[:, 2:]))
    odds: NDArray[np.float32] = frontal - others
    return odds


def mirrored_log_odds(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of a mirrored film against an upright one, ``(B, 7) -> (B,)``."""
    return logits[:, 1] - logits[:, 0]


def views_of(logits: NDArray[np.float32], spec: ViewSpec) -> list[ViewClass]:
    """Decide what pictures show, by the thresholds that were chosen for these weights."""
    refused = frontal_log_odds(logits) < spec.least_frontal
    mirrored = mirrored_log_odds(logits) >= spec.least_mirrored
    likeliest = 2 + logits[:, 2:].argmax(axis=1)
    return [VIEWS[place] for place in np.where(refused, likeliest, mirrored).tolist()]
