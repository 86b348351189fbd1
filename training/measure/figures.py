"""The figures of report.json, by the names that other programs rely on."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.intervals import figure_interval
from cxr_app.evaluation.metrics import (
    Booleans,
    Floats,
    auroc,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
)
from cxr_app.model.classifier import Classifier
from training.data.dataset import LabelledFilm
from training.measure.predictions import Predictions, score_films


def evaluate_classifier(classifier: Classifier, films: Sequence[LabelledFilm]) -> dict[str, Any]:
    """Measure a classifier on labelled films; see `classifier_figures`."""
    (scored,) = score_films([classifier], films)
    return classifier_figures(classifier, scored)


def classifier_figures(classifier: Classifier, scored: Predictions) -> dict[str, Any]:
    """Compute the figures of a classifier from its predictions.

    Returns
    -------
    dict
        The figures of `measure_figures` at the balanced point, those at the high-sensitivity
        point, and the counts of films refused or not read.
    """
    points = classifier.operating_points
    report = measure_figures(scored.probabilities, scored.films, points["balanced"].threshold)
    report["model_version"] = classifier.model_version
    report["rejected"] = sum(facts.rejected for facts in scored.facts)
    report["failed"] = len(scored.unreadable)
    report["failed_films"] = [str(film.path) for film in scored.unreadable]
    threshold = points["high_sensitivity"].threshold
    counts = confusion(scored.pneumonia, scored.truth, threshold)
    names = ("accuracy", "sensitivity", "specificity", "ppv", "f1")
    sensitive = {name: nan_to_none(getattr(counts, name)) for name in names}
    report["high_sensitivity"] = {"threshold": threshold, **sensitive}
    return report


def measure_figures(
    probabilities: Floats, films: Sequence[LabelledFilm], threshold: float
) -> dict[str, Any]:
    """Compare probabilities with the truth.

    Parameters
    ----------
    probabilities
        Shape ``(n, 3)``: normal, bacterial, viral.
    films
        The films, in the same order.
    threshold
        On the probability of pneumonia.

    Returns
    -------
    dict
        Ready for JSON. An undefined figure, such as the specificity if all films have pneumonia,
        is None.
    """
    classes = np.array([film.class_index for film in films])
    patients = [film.patient_id for film in films]
    pneumonia, truth = 1 - probabilities[:, 0], classes > 0
    counts = confusion(pneumonia, truth, threshold)

    flagged = pneumonia >= threshold
    shares_of = {"ppv": flagged, "npv": ~flagged, "f1": flagged | truth}

    def interval(figure: str) -> tuple[float, float]:
        def statistic(values: Floats, positive: Booleans) -> float:
            return float(getattr(confusion(values, positive, threshold), figure))

        deciding = shares_of.get(figure)
        return figure_interval(statistic, pneumonia, truth, patients, deciding=deciding)

    report: dict[str, Any] = {
        "n": len(films),
        "n_normal": int(np.sum(~truth)),
        "n_pneumonia": int(np.sum(truth)),
        "n_patients": len(set(patients)),
        "auroc": auroc(pneumonia, truth),
        "auroc_ci95": figure_interval(auroc, pneumonia, truth, patients),
    }
    for figure in ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1"):
        report[figure] = getattr(counts, figure)
        report[f"{figure}_ci95"] = interval(figure)
    report |= {
        "brier": brier(pneumonia, truth),
        "ece": expected_calibration_error(pneumonia, truth),
        "ece_ci95": bootstrap_interval(
            lambda i: expected_calibration_error(pneumonia[i], truth[i]), patients
        ),
        "threshold": threshold,
    }
    report |= _between_causes(probabilities, classes, patients)
    return dict(nan_to_none(report))


def brier(probabilities: Floats, pneumonia: Booleans) -> float:
    """Compute the mean squared difference between probability and truth (Brier 1950)."""
    return float(np.mean((probabilities - pneumonia) ** 2))


def nan_to_none(value: Any) -> Any:
    """Replace NaN by None, also within containers; JSON has no NaN."""
    if isinstance(value, dict):
        return {name: nan_to_none(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [nan_to_none(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _between_causes(
    probabilities: Floats, classes: NDArray[np.int_], patients: Sequence[str]
) -> dict[str, Any]:
    """Measure bacterial against viral, among films with pneumonia."""
    chosen = np.flatnonzero((classes == 1) | (classes == 2))  # a cause may be unknown
    share = probabilities[chosen, 1] / np.maximum(probabilities[chosen, 1:].sum(axis=1), 1e-12)
    bacterial = classes[chosen] == 1
    return {
        "bacterial_vs_viral_auroc": auroc(share, bacterial),
        "bacterial_vs_viral_auroc_ci95": figure_interval(
            auroc, share, bacterial, [patients[int(index)] for index in chosen]
        )
        if len(chosen)
        else (math.nan, math.nan),
    }
