"""Two checkpoints compared on the same films, with the uncertainty of every difference.

The difference in AUROC has two intervals. DeLong's, which the literature reports, treats films as
independent. Films of one child are not, so the interval by drawing patients is given as well; if
the two disagree, trust the wider one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cxr_app.evaluation.intervals import paired_difference
from cxr_app.evaluation.metrics import Drawn, Floats, auroc, confusion
from training.measure import delong
from training.measure.figures import nan_to_none
from training.measure.predictions import Predictions

FIGURES = ("accuracy", "sensitivity", "specificity")


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One of the two: its probabilities of pneumonia, ``(n,)``, and its own threshold."""

    pneumonia: Floats
    threshold: float


def compare_models(
    scored: Predictions, threshold: float, other: Predictions, other_threshold: float
) -> Any:
    """Compare the predictions of two checkpoints for the same films, each at its own threshold.

    Returns
    -------
    dict
        Ready for JSON: AUROC with DeLong's test and the interval by patients, and the figures at
        the thresholds. Every difference is the first minus the other.
    """
    first = ComparedModel(scored.pneumonia, threshold)
    second = ComparedModel(other.pneumonia, other_threshold)
    truth, patients = scored.truth, scored.patients

    def area(model: ComparedModel, films: Drawn | slice) -> float:
        return auroc(model.pneumonia[films], truth[films])

    def at_threshold(figure: str) -> Callable[[ComparedModel, Drawn | slice], float]:
        def value(model: ComparedModel, films: Drawn | slice) -> float:
            counts = confusion(model.pneumonia[films], truth[films], model.threshold)
            return float(getattr(counts, figure))

        return value

    def both_models(value: Callable[[ComparedModel, Drawn | slice], float]) -> dict[str, Any]:
        here, there = (value(model, slice(None)) for model in (first, second))
        found = paired_difference(lambda i: value(first, i) - value(second, i), patients)
        return {
            "value": here,
            "other": there,
            "difference": found.value,
            "ci95": found.ci95,
            "remark": found.remark(),
        }

    test = delong.compare_areas(first.pneumonia, second.pneumonia, truth)
    by_delong = {"standard_error": test.standard_error, "p": test.p_value, "ci95": test.interval}
    found = {"auroc": both_models(area) | {"delong": by_delong}}
    return nan_to_none(found | {figure: both_models(at_threshold(figure)) for figure in FIGURES})
