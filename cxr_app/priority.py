"""Prediction and operating points -> the place that a film is read in. Pure: no clock, no list.

Tiers are read one after the other, and within a tier bands of probability: what is almost certain
does not wait behind what is possible. How long a film has waited is not known here; the worklist
orders within a band by it.
"""

from collections.abc import Mapping

from cxr_app.outcome import Priority
from cxr_app.prediction import OperatingPoint, Prediction

BANDS = (0.99, 0.9, 0.7)
"""Lowest probability of each band but the last."""
BAND_NUMBERS = range(len(BANDS) + 1)


def assign(
    prediction: Prediction | None, operating_points: Mapping[str, OperatingPoint]
) -> Priority:
    """Return how soon a film should be read.

    A film that no model has judged (refused, unreadable) is MEDIUM: an unjudged film is not an
    unlikely one. An operating point that the checkpoint does not have is skipped.

    Parameters
    ----------
    prediction
        None where there is none.
    operating_points
        Of the checkpoint that spoke, by name.

    Returns
    -------
    Priority
        HIGH at or above ``balanced``; MEDIUM at or above ``high_sensitivity``; LOW below both.
        Raising the probability never lowers it.
    """
    if prediction is None:
        return Priority.MEDIUM
    return tier(prediction.pneumonia_probability, operating_points)


def tier(pneumonia_probability: float, operating_points: Mapping[str, OperatingPoint]) -> Priority:
    """Return how soon a film of this probability should be read, as `assign` does."""
    for name, priority in (("balanced", Priority.HIGH), ("high_sensitivity", Priority.MEDIUM)):
        point = operating_points.get(name)
        if point is not None and pneumonia_probability >= point.threshold:
            return priority
    return Priority.LOW


def band(pneumonia_probability: float | None) -> int:
    """Return the band of a probability, 0 for the highest.

    A film without a probability is in band 0: an unjudged film is not an unlikely one.
    """
    if pneumonia_probability is None:
        return 0
    return sum(1 for lowest in BANDS if pneumonia_probability < lowest)
