"""Two checkpoints on the same films: which is better, and how sure that is.

Two intervals of every difference would be one too many but for this: DeLong's, which the
literature reports, takes films for independent. Films of one child are not, so the interval by
drawing patients stands beside it; where the two disagree, believe the wider one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cxr_app.evaluation.metrics import Drawn, Floats, auroc, bootstrap_interval, confusion
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
    """Compare two checkpoints' scores of the same films, each at its own operating point.

    Returns
    -------
    dict
        Ready for JSON: AUROC with DeLong's test and the interval by patients, and the figures at
        the thresholds. Every difference is the first less the other.
    """
    first = ComparedModel(scored.pneumonia, threshold)
    second = ComparedModel(other.pneumonia, other_threshold)
    truth, patients = scored.truth, scored.patients

    def area(candidate: ComparedModel, films: Drawn | slice) -> float:
        return auroc(candidate.pneumonia[films], truth[films])

    def at_threshold(figure: str) -> Callable[[ComparedModel, Drawn | slice], float]:
        def value(candidate: ComparedModel, films: Drawn | slice) -> float:
            counts = confusion(candidate.pneumonia[films], truth[films], candidate.threshold)
            return float(getattr(counts, figure))

        return value

    def both(value: Callable[[ComparedModel, Drawn | slice], float]) -> dict[str, Any]:
        here, there = (value(candidate, slice(None)) for candidate in (first, second))
        interval = bootstrap_interval(lambda i: value(first, i) - value(second, i), patients)
        return {"value": here, "other": there, "difference": here - there, "ci95": interval}

    test = delong.compare_areas(first.pneumonia, second.pneumonia, truth)
    by_delong = {"standard_error": test.standard_error, "p": test.p_value, "ci95": test.interval}
    found = {"auroc": both(area) | {"delong": by_delong}}
    return nan_to_none(found | {figure: both(at_threshold(figure)) for figure in FIGURES})
