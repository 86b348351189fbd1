"""The figures of a report, by the names of the contract."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import (
    Floats,
    auroc,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
)
from training.data.dataset import LabelledFilm
from training.measure.metrics import brier


def measure_figures(
    probabilities: Floats, films: Sequence[LabelledFilm], threshold: float
) -> dict[str, Any]:
    """Measure probabilities against the truth.

    Parameters
    ----------
    probabilities
        Shape ``(n, 3)``: normal, bacterial, viral.
    films
        The films, in the same order.
    threshold
        On the probability of pneumonia; figures at a threshold are at this one.

    Returns
    -------
    dict
        Ready for JSON. A figure that these films cannot tell, such as the specificity where all
        have pneumonia, is None.
    """
    classes = np.array([film.class_index for film in films])
    patients = [film.patient_id for film in films]
    pneumonia, truth = 1 - probabilities[:, 0], classes > 0
    counts = confusion(pneumonia, truth, threshold)

    def interval(figure: str) -> tuple[float, float]:
        def statistic(drawn: NDArray[np.intp]) -> float:
            return float(getattr(confusion(pneumonia[drawn], truth[drawn], threshold), figure))

        return bootstrap_interval(statistic, patients)

    report: dict[str, Any] = {
        "n": len(films),
        "n_normal": int(np.sum(~truth)),
        "n_pneumonia": int(np.sum(truth)),
        "n_patients": len(set(patients)),
        "auroc": auroc(pneumonia, truth),
        "auroc_ci95": bootstrap_interval(lambda i: auroc(pneumonia[i], truth[i]), patients),
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


def nan_to_none(value: Any) -> Any:
    """Put None, which JSON has, for every number that cannot be told, which it has not."""
    if isinstance(value, dict):
        return {name: nan_to_none(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [nan_to_none(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _between_causes(
    probabilities: Floats, classes: NDArray[np.int_], patients: Sequence[str]
) -> dict[str, Any]:
    """Measure how well bacterial is told from viral, among films with pneumonia."""
    chosen = np.flatnonzero(classes > 0)
    share = probabilities[chosen, 1] / np.maximum(probabilities[chosen, 1:].sum(axis=1), 1e-12)
    bacterial = classes[chosen] == 1
    return {
        "bacterial_vs_viral_auroc": auroc(share, bacterial),
        "bacterial_vs_viral_auroc_ci95": bootstrap_interval(
            lambda i: auroc(share[i], bacterial[i]), [patients[int(index)] for index in chosen]
        )
        if len(chosen)
        else (math.nan, math.nan),
    }
