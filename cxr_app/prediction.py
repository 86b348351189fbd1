"""What a model says of a film, in numbers and in words. No torch here, and no database."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ActivationMap = NDArray[np.float32]
"""Evidence for pneumonia on a grid that divides the film evenly, shape ``(h, w)``.

Log-odds above the operating point.
"""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold, with what it was chosen for; it belongs to one checkpoint and to no other.

    Parameters
    ----------
    name
        ``balanced`` or ``high_sensitivity``.
    threshold
        On the calibrated probability of pneumonia: a film at or above it is flagged.
    sensitivity, specificity
        On the validation films that the threshold was chosen on.
    """

    name: Literal["balanced", "high_sensitivity"]
    threshold: float
    sensitivity: float
    specificity: float

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise ValueError(f"threshold must lie between 0 and 1, got {self.threshold}")


@dataclass(frozen=True, slots=True)
class HeatScale:
    """The one scale that all heatmaps of a checkpoint are drawn on.

    Parameters
    ----------
    begin
        Evidence, in log-odds above the operating point, up to which nothing is shown: what 19 of
        20 films without pneumonia reach nowhere.
    full
        Evidence that gets the full colour: the median peak of films with pneumonia.
    """

    begin: float
    full: float

    def __post_init__(self) -> None:
        if not self.full > self.begin:
            raise ValueError(f"full must be above begin, got {self.begin} and {self.full}")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one model says of one film.

    Parameters
    ----------
    bacterial_probability, viral_probability
        Calibrated, each in ``[0, 1]``; their sum is the probability of pneumonia.
    activation_map
        ``float32``, shape ``(h, w)``: per cell, the log-odds of pneumonia above the operating point
        if the whole film looked like that cell. Never scaled per film.
    model_version
        The name and the first digits of the SHA-256 of the checkpoint that spoke.
    """

    bacterial_probability: float
    viral_probability: float
    activation_map: ActivationMap
    model_version: str

    def __post_init__(self) -> None:
        for name in ("bacterial_probability", "viral_probability"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {value}")

    @property
    def pneumonia_probability(self) -> float:
        """Bacterial and viral together, in ``[0, 1]``."""
        return min(1.0, self.bacterial_probability + self.viral_probability)

    def is_flagged(self, operating_point: OperatingPoint) -> bool:
        """Say whether the probability reaches the operating point."""
        return self.pneumonia_probability >= operating_point.threshold
