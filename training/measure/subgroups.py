"""Figures by group of films: by cause and, if the header has them, by view, sex and age."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cxr_app.evaluation.metrics import Booleans, Floats, auroc, confusion
from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.patient_age import age_group, age_in_years
from training.measure.figures import nan_to_none
from training.measure.predictions import FilmDetails, Predictions


def subgroups(scored: Predictions, threshold: float) -> list[dict[str, Any]]:
    """Measure each group that these films have.

    A cause is measured against all films without pneumonia. A group with fewer than `FEWEST` films
    with pneumonia is refused; with fewer films without pneumonia it has only a sensitivity.
    """
    return [
        _measure(scored.part(chosen), threshold) | {"by": by, "group": group}
        for by, group, chosen in groups_of(scored)
    ]


def groups_of(scored: Predictions) -> Iterator[tuple[str, str, Booleans]]:
    """Yield every group: its property, its name, and which films belong to it."""
    causes = np.array(scored.causes)
    for cause in sorted(set(causes) - {""}):
        yield "cause", str(cause), (causes == cause) | ~scored.truth
    known = {
        "view": [facts.view_position for facts in scored.facts],
        "sex": [facts.patient_sex for facts in scored.facts],
        "age": [film_age_group(facts) for facts in scored.facts],
    }
    for by, values in known.items():
        for value in sorted(set(values) - {""}):
            yield by, value, np.array(values) == value


def film_age_group(facts: FilmDetails) -> str:
    """Return the group of (0010,1010) *Patient's Age*; empty if it is unknown."""
    years = age_in_years(facts.patient_age)
    return "" if years is None else age_group(years)


def _measure(part: Predictions, threshold: float) -> dict[str, Any]:
    """Measure one group, as far as it has enough films."""
    positives, negatives = int(part.truth.sum()), int((~part.truth).sum())
    found: dict[str, Any] = {"n_normal": negatives, "n_pneumonia": positives}
    if positives < FEWEST:
        return found | {
            "refused": f"{positives} films with pneumonia; at least {FEWEST} are needed."
        }

    def sensitivity(probabilities: Floats, pneumonia: Booleans) -> float:
        return confusion(probabilities, pneumonia, threshold).sensitivity

    def specificity(probabilities: Floats, pneumonia: Booleans) -> float:
        return confusion(probabilities, pneumonia, threshold).specificity

    found["sensitivity"] = part.estimate(sensitivity)
    if negatives >= FEWEST:
        found |= {"specificity": part.estimate(specificity), "auroc": part.estimate(auroc)}
    return dict(nan_to_none(found))
