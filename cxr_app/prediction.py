"""What a model says of a film, in numbers and in words. No torch here, and no database."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxr_app.lung_fields import LungFields

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
        Calibrated, each in ``[0, 1]``; their sum is the probability of pneumonia. Both None where
        the model does not tell causes apart: they are unknown then, and nobody guesses them.
    activation_map
        ``float32``, shape ``(h, w)``: per cell, the log-odds of pneumonia above the operating point
        if the whole film looked like that cell. Never scaled per film.
    model_version
        The name and the first digits of the SHA-256 of the checkpoint that spoke.
    undivided_probability
        Of pneumonia, from a model that does not tell causes apart; None from one that does.
    heat_scale
        What the activation map is drawn on: that of the same checkpoint, whichever is in use when
        it is looked at. None where it was not written down.
    lungs
        Where the model found the lungs; None from a model that does not look for them.
    """

    bacterial_probability: float | None
    viral_probability: float | None
    activation_map: ActivationMap
    model_version: str
    undivided_probability: float | None = None
    heat_scale: HeatScale | None = None
    lungs: LungFields | None = None

    def __post_init__(self) -> None:
        causes = (self.bacterial_probability, self.viral_probability)
        divided = self.undivided_probability is None
        if any((cause is not None) != divided for cause in causes):
            raise ValueError("a prediction has either both causes or an undivided probability")
        for value in (*causes, self.undivided_probability):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"a probability must lie in [0, 1], got {value}")

    @property
    def pneumonia_probability(self) -> float:
        """Bacterial and viral together, in ``[0, 1]``."""
        if self.bacterial_probability is None or self.viral_probability is None:
            return self.undivided_probability or 0.0
        return min(1.0, self.bacterial_probability + self.viral_probability)

    def is_flagged(self, operating_point: OperatingPoint) -> bool:
        """Say whether the probability reaches the operating point."""
        return self.pneumonia_probability >= operating_point.threshold
