"""Figures at a fixed specificity, sensitivity or prevalence."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from cxr_app.evaluation.metrics import (
    Booleans,
    Confusion,
    Floats,
    confusion,
    predictive_values,
    roc,
)
from cxr_app.prediction import OperatingPoint
from training.measure.figures import nan_to_none
from training.measure.predictions import Predictions

SPECIFICITIES = (0.90, 0.95)
SENSITIVITIES = (0.95, 0.97, 0.99)


def fixed_points(
    scored: Predictions, points: Iterable[OperatingPoint], prevalence: float | None
) -> dict[str, Any]:
    """Compute the figures that `figures.measure_figures`, at one threshold, leaves out.

    Parameters
    ----------
    points
        The checkpoint's operating points.
    prevalence
        Share of films with pneumonia at the place of use; None for the share in these films.
    """
    found = {
        "average_precision": scored.estimate(average_precision),
        "sensitivity_at_specificity": [
            {"at": at, **scored.estimate(partial(sensitivity_at, specificity=at))}
            for at in SPECIFICITIES
        ],
        "specificity_at_sensitivity": [
            {"at": at, **scored.estimate(partial(specificity_at, sensitivity=at))}
            for at in SENSITIVITIES
        ],
        "operating_points": [_at_point(scored, point, prevalence) for point in points],
    }
    return dict(nan_to_none(found))


def sensitivity_at(probabilities: Floats, pneumonia: Booleans, specificity: float) -> float:
    """Return the best sensitivity at a specificity of at least `specificity`.

    NaN if a class is missing.
    """
    return float(roc(probabilities, pneumonia, np.array([1 - specificity]))[0])


def specificity_at(probabilities: Floats, pneumonia: Booleans, sensitivity: float) -> float:
    """Return the best specificity at a sensitivity of at least `sensitivity`."""
    return sensitivity_at(-probabilities, ~pneumonia, sensitivity)


def average_precision(probabilities: Floats, pneumonia: Booleans) -> float:
    """Compute the area under the precision-recall curve, in steps; NaN if a class is missing."""
    if not pneumonia.any() or pneumonia.all():
        return math.nan
    return float(average_precision_score(pneumonia, probabilities))


def _at_point(
    scored: Predictions, point: OperatingPoint, prevalence: float | None
) -> dict[str, Any]:
    """Compute what a flag, and no flag, means at a prevalence."""
    share = float(scored.truth.mean()) if prevalence is None else prevalence

    def counted(probabilities: Floats, pneumonia: Booleans) -> Confusion:
        return confusion(probabilities, pneumonia, point.threshold)

    def figure(name: str) -> dict[str, Any]:
        return scored.estimate(lambda p, t: float(getattr(counted(p, t), name)))

    def predictive(which: int) -> dict[str, Any]:
        def value(probabilities: Floats, pneumonia: Booleans) -> float:
            counts = counted(probabilities, pneumonia)
            return predictive_values(counts.sensitivity, counts.specificity, share)[which]

        return scored.estimate(value)

    counts = counted(scored.pneumonia, scored.truth)
    names = ("true_positive", "false_negative", "false_positive", "true_negative")
    return {
        "name": point.name,
        "threshold": point.threshold,
        "chosen_for": {"sensitivity": point.sensitivity, "specificity": point.specificity},
        "counts": {name: getattr(counts, name) for name in names},
        "sensitivity": figure("sensitivity"),
        "specificity": figure("specificity"),
        "prevalence": share,
        "ppv": predictive(0),
        "npv": predictive(1),
    }
