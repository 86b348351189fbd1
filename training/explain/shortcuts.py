"""Shortcuts: how much the score changes if something other than lung is removed.

In this data, borders, letters, size and compression correlate with the class. A network that relies
on them scores another hospital's films by that hospital's habits and not by the lungs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import Booleans, Drawn, Floats, auroc, bootstrap_interval, confusion
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.radiograph import Radiograph
from training.explain.perturbations import SHORTCUTS
from training.measure.figures import nan_to_none
from training.measure.predictions import Predictions, mean_with_interval, read_each


def measure_shortcuts(classifier: Classifier, scored: Predictions) -> list[dict[str, Any]]:
    """Score the films again under each of `perturbations.SHORTCUTS`.

    Parameters
    ----------
    scored
        The films, as this classifier scored them.

    Returns
    -------
    list
        One entry a change, ready for JSON.
    """
    size = classifier.description.input_spec.size

    def prepare(radiograph: Radiograph) -> list[NetworkInput]:
        changed = (change(radiograph.image, size) for change in SHORTCUTS.values())
        return [classifier.prepare(film) for film in changed]

    rows, kept = [], []
    for place, (_, inputs) in enumerate(read_each(scored.films, prepare)):
        if inputs is not None:
            predictions = classifier.predict(inputs)
            rows.append([prediction.pneumonia_probability for prediction in predictions])
            kept.append(place)
    there: Booleans = np.isin(np.arange(len(scored.films)), kept)
    threshold = classifier.operating_points["balanced"].threshold
    return shortcut_summary(scored.part(there), np.array(rows), threshold)


def shortcut_summary(
    scored: Predictions, changed: NDArray[np.float64], threshold: float
) -> list[dict[str, Any]]:
    """Compare scores before and after.

    Parameters
    ----------
    changed
        Probabilities of pneumonia after each change, ``(n, len(SHORTCUTS))``.
    """
    return [
        {"change": name, **nan_to_none(_compare(scored, after, threshold))}
        for name, after in zip(SHORTCUTS, changed.T, strict=True)
    ]


def _compare(scored: Predictions, after: Floats, threshold: float) -> dict[str, Any]:
    """Measure the effect of one change."""
    before, truth, patients = scored.pneumonia, scored.truth, scored.patients

    def difference(films: Drawn) -> float:
        return auroc(after[films], truth[films]) - auroc(before[films], truth[films])

    flag_changed = (after >= threshold) != (before >= threshold)
    counts = confusion(after, truth, threshold)
    return {
        "n": len(before),
        "mean_change": mean_with_interval(np.abs(after - before), patients),
        "mean_change_normal": _mean((after - before)[~truth]),
        "mean_change_pneumonia": _mean((after - before)[truth]),
        "flags_changed": mean_with_interval(flag_changed * 1.0, patients, share=True),
        "auroc": auroc(after, truth),
        "auroc_change": {
            "value": auroc(after, truth) - auroc(before, truth),
            "ci95": bootstrap_interval(difference, patients),
        },
        "sensitivity": counts.sensitivity,
        "specificity": counts.specificity,
    }


def _mean(values: Floats) -> float:
    """Return the mean; NaN if there are no values."""
    return float(values.mean()) if len(values) else float("nan")
