"""Figures that only training and its reports need, beside `cxr_app.evaluation.metrics`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cxr_app.evaluation.metrics import (
    Booleans,
    Floats,
    bootstrap_interval,
    roc,
)


def sensitivity_at(probabilities: Floats, pneumonia: Booleans, specificity: float) -> float:
    """Give the sensitivity where at least `specificity` of films without pneumonia stay unflagged.

    NaN where one class is missing.
    """
    return float(roc(probabilities, pneumonia, np.array([1 - specificity]))[0])


def specificity_at(probabilities: Floats, pneumonia: Booleans, sensitivity: float) -> float:
    """Give the specificity where at least `sensitivity` of films with pneumonia are flagged."""
    return sensitivity_at(-probabilities, ~pneumonia, sensitivity)


def brier(probabilities: Floats, pneumonia: Booleans) -> float:
    """Mean squared difference between probability and truth (Brier 1950)."""
    return float(np.mean((probabilities - pneumonia) ** 2))


def mean_of(values: Floats, patients: Sequence[str]) -> dict[str, Any]:
    """Give a mean over films, and its interval by drawing patients; NaN of no films."""
    if not len(values):
        return {"value": math.nan, "ci95": (math.nan, math.nan)}
    interval = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)
    return {"value": float(values.mean()), "ci95": interval}
