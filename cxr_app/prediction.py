"""Predictions of a model for a film. This module knows neither torch nor the database."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxr_app.lung_fields import Extent, LungFields, extent_of

ActivationMap = NDArray[np.float32]
"""Evidence for pneumonia on a grid that divides the film evenly, shape ``(h, w)``.

Log-odds above the operating point.
"""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and the performance it was chosen for; valid for one checkpoint only.

    Parameters
    ----------
    name
        ``balanced`` or ``high_sensitivity``.
    threshold
        Calibrated probability of pneumonia at or above which a film is flagged.
    sensitivity, specificity
        On the validation films used to choose the threshold.
    """

    name: Literal["balanced", "high_sensitivity"]
    threshold: float
    sensitivity: float
    specificity: float

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise ValueError(f"threshold must lie between 0 and 1, got {self.threshold}")


INVOLVED = 0.25
"""Where on the scale of a heatmap its extent becomes that of radiologists' boxes, in the mean of
adults' films that a network had not learned (weights/README.md); of all visible heat it is more."""


@dataclass(frozen=True, slots=True)
class HeatScale:
    """Colour scale shared by all heatmaps of a checkpoint.

    Parameters
    ----------
    begin
        Evidence, in log-odds above the operating point, up to which nothing is shown: 19 of 20
        films without pneumonia stay below it everywhere.
    full
        Evidence shown in full colour: the median peak of films with pneumonia.
    """

    begin: float
    full: float

    @property
    def involved(self) -> float:
        """Evidence from which lung counts as involved in the extent of disease."""
        return self.begin + INVOLVED * (self.full - self.begin)

    def __post_init__(self) -> None:
        if not self.full > self.begin:
            raise ValueError(f"full must be above begin, got {self.begin} and {self.full}")


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of one model for one film.

    Parameters
    ----------
    bacterial_probability, viral_probability
        Calibrated, each in ``[0, 1]``; their sum is the probability of pneumonia. Both None if the
        model does not distinguish causes.
    activation_map
        ``float32``, shape ``(h, w)``: per cell, the log-odds of pneumonia above the operating point
        if the whole film looked like that cell. Never scaled per film.
    model_version
        Name of the checkpoint and the first digits of its SHA-256.
    undivided_probability
        Of pneumonia, if the model does not distinguish causes; None if it does.
    heat_scale
        Scale of the activation map, from the same checkpoint, even if another is in use later. None
        if it was not stored.
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
        """Probability of pneumonia of any cause, in ``[0, 1]``."""
        if self.bacterial_probability is None or self.viral_probability is None:
            return self.undivided_probability or 0.0
        return min(1.0, self.bacterial_probability + self.viral_probability)

    def is_flagged(self, operating_point: OperatingPoint) -> bool:
        """Return whether the probability reaches the operating point."""
        return self.pneumonia_probability >= operating_point.threshold

    @property
    def extent(self) -> Extent | None:
        """How much of the lungs the visible heat covers; None if lungs or scale are unknown."""
        return visible_extent(self.activation_map, self.heat_scale, self.lungs)


def visible_extent(
    activation_map: ActivationMap, scale: HeatScale | None, lungs: LungFields | None
) -> Extent | None:
    """Measure how much of the lungs the visible heat covers; None if lungs or scale are unknown."""
    if scale is None or lungs is None:
        return None
    return extent_of(lungs, activation_map > scale.begin, activation_map > scale.involved)
