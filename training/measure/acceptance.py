"""Comparison of a challenger with the model in use, and the rule for replacing it.

Each is measured at its own thresholds. Every difference is challenger minus model in use.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_app.evaluation.metrics import (
    Drawn,
    Floats,
    auroc,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
)
from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.model.classifier import Classifier
from training.data.dataset import LabelledFilm
from training.measure import delong
from training.measure.figures import nan_to_none
from training.measure.judge import acquire, compare_groups
from training.measure.predictions import Predictions, score_films
from training.measure.subgroups import groups_of

AUROC_MARGIN = 0.01
"""A smaller loss cannot be detected on a few hundred patients, nor noticed by a reader."""
SENSITIVITY_MARGIN = 0.02
"""Two pneumonias in a hundred."""
SENSITIVITY_BOUND = 0.05
"""Lower limit of the interval, so that a loss is not hidden by few films."""
SPECIFICITY_MARGIN = 0.05
"""Wider than the margin of the sensitivity: a miss is worse than a false alarm."""
SECOND_SPECIFICITY_MARGIN = 0.1
"""At high sensitivity, which only tells apart films that are not flagged; beyond what the
sensitivity gains there."""
CALIBRATION_MARGIN = 0.03
"""A calibration this much worse changes the order within a tier, but hides no film."""

POINTS = {"balanced": "balanced", "high_sensitivity": "high sensitivity"}

Value = Callable[[int, Drawn | slice], float]
"""Function of the model (0 or 1) and of some of the films that returns a figure."""

WHOLE = slice(None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Predictions of two models for the same films: the model in use, then the challenger.

    Parameters
    ----------
    thresholds
        Of both models, by the name of the operating point.
    """

    scored: tuple[Predictions, Predictions]
    thresholds: dict[str, tuple[float, float]]

    @property
    def predicts_causes(self) -> tuple[bool, bool]:
        """Whether each model distinguishes bacterial from viral."""
        first, second = (not np.isnan(each.probabilities[:, 1]).any() for each in self.scored)
        return bool(first), bool(second)


def challenge(
    in_use: Classifier, challenger: Classifier, films: Sequence[LabelledFilm]
) -> dict[str, Any]:
    """Compare both models on films, and decide whether the challenger may replace the other.

    Returns
    -------
    dict
        Ready for JSON.
    """
    first, second = score_films([in_use, challenger], films)
    thresholds = {
        name: (in_use.operating_points[name].threshold, challenger.operating_points[name].threshold)
        for name in POINTS
    }
    pair = Pair((first, second), thresholds)
    figures = _figures(pair)
    losses = [*_subgroups(pair), *_acquisition_groups(pair)]
    checks = _checks(pair, {figure["name"]: figure for figure in figures}, losses)
    return dict(
        nan_to_none(
            {
                "in_use": in_use.model_version,
                "challenger": challenger.model_version,
                "n_normal": int(np.sum(~first.truth)),
                "n_pneumonia": int(np.sum(first.truth)),
                "n_patients": len(set(first.patients)),
                "unreadable": len(first.unreadable),
                "figures": figures,
                "subgroups": losses,
                "checks": checks,
                "not_worse": all(check["passed"] for check in checks),
            }
        )
    )


def _figures(pair: Pair) -> list[dict[str, Any]]:
    first, second = pair.scored
    truth, patients = first.truth, first.patients
    pneumonia = (first.pneumonia, second.pneumonia)

    def area(model: int, films: Drawn | slice) -> float:
        return auroc(pneumonia[model][films], truth[films])

    def calibration(model: int, films: Drawn | slice) -> float:
        return expected_calibration_error(pneumonia[model][films], truth[films])

    test = delong.compare_areas(second.pneumonia, first.pneumonia, truth)
    figures = [_figure("AUROC", area, patients) | {"delong_ci95": test.interval}]
    for name, words in POINTS.items():
        for figure in ("sensitivity", "specificity"):
            value = _at(pair, name, figure)
            figures.append(_figure(f"{figure.capitalize()} at {words}", value, patients))
    figures.append(_figure("Calibration error", calibration, patients))
    return [*figures, _between_causes(pair)]


def _figure(name: str, value: Value, patients: Sequence[str]) -> dict[str, Any]:
    """Compute a figure of both, the difference, and its interval by drawing patients."""
    here, there = value(0, WHOLE), value(1, WHOLE)
    interval = bootstrap_interval(lambda films: value(1, films) - value(0, films), patients)
    return {
        "name": name,
        "in_use": here,
        "challenger": there,
        "difference": there - here,
        "ci95": interval,
    }


def _at(pair: Pair, point: str, figure: str) -> Value:
    """Build a figure at an operating point, with each model at its own threshold."""
    truth = pair.scored[0].truth
    pneumonia = [scored.pneumonia for scored in pair.scored]

    def value(model: int, films: Drawn | slice) -> float:
        threshold = pair.thresholds[point][model]
        return float(getattr(confusion(pneumonia[model][films], truth[films], threshold), figure))

    return value


def _between_causes(pair: Pair) -> dict[str, Any]:
    """Compare bacterial against viral among films with pneumonia."""
    chosen = np.flatnonzero(pair.scored[0].truth)
    bacterial = np.array(pair.scored[0].causes)[chosen] == "bacterial"
    shares = [_bacterial_share(scored.probabilities[chosen]) for scored in pair.scored]

    def area(model: int, films: Drawn | slice) -> float:
        if not pair.predicts_causes[model]:
            return math.nan
        return auroc(shares[model][films], bacterial[films])

    patients = [pair.scored[0].patients[index] for index in chosen]
    return _figure("Bacterial versus viral, AUROC", area, patients)


def _bacterial_share(probabilities: Floats) -> Floats:
    share: Floats = probabilities[:, 1] / np.maximum(probabilities[:, 1:].sum(axis=1), 1e-12)
    return share


def _subgroups(pair: Pair) -> list[dict[str, Any]]:
    """Compare the sensitivity at balanced in every group that has enough films."""
    first, second = pair.scored
    found = []
    for by, group, chosen in groups_of(first):
        part = Pair((first.part(chosen), second.part(chosen)), pair.thresholds)
        if part.scored[0].truth.sum() >= FEWEST:
            value = _at(part, "balanced", "sensitivity")
            figure = _figure(f"{by}: {group}", value, part.scored[0].patients)
            found.append(figure | {"n_pneumonia": int(part.scored[0].truth.sum())})
    return found


def _acquisition_groups(pair: Pair) -> list[dict[str, Any]]:
    """Compare the sensitivity at balanced in every acquisition group that has enough films."""
    first, second = pair.scored
    rows = compare_groups(first, second, acquire(first.films), pair.thresholds["balanced"])
    return [
        {
            "name": f"look: {row['name']}",
            "in_use": row["first"],
            "challenger": row["second"],
            "difference": row["difference"],
            "ci95": row["ci95"],
            "n_pneumonia": row["n"],
        }
        for row in rows
        if row["figure"] == "sensitivity" and row["n"] >= FEWEST
    ]


def _checks(
    pair: Pair, figures: dict[str, dict[str, Any]], losses: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Check the figures against the rule."""
    area, calibration = figures["AUROC"], figures["Calibration error"]
    lowest = min(area["delong_ci95"][0], area["ci95"][0])
    checks = [
        _check(
            "AUROC",
            f"less than {AUROC_MARGIN} lower, even at the limit of its interval",
            lowest > -AUROC_MARGIN,
        )
    ]
    for words in POINTS.values():
        name = f"Sensitivity at {words}"
        checks.append(
            _check(
                name,
                f"at most {SENSITIVITY_MARGIN} lower, less than {SENSITIVITY_BOUND} even at the "
                "limit of its interval",
                figures[name]["difference"] >= -SENSITIVITY_MARGIN
                and figures[name]["ci95"][0] > -SENSITIVITY_BOUND,
            )
        )
    specificity = figures["Specificity at balanced"]
    gain = max(figures["Sensitivity at high sensitivity"]["difference"], 0.0)
    second = figures["Specificity at high sensitivity"]
    old, new = pair.predicts_causes
    lost = [loss for loss in losses if loss["ci95"][1] < 0]
    return [
        *checks,
        _check(
            "Specificity at balanced",
            f"at most {SPECIFICITY_MARGIN} lower",
            specificity["difference"] >= -SPECIFICITY_MARGIN,
        ),
        _check(
            "Specificity at high sensitivity",
            f"at most {SECOND_SPECIFICITY_MARGIN} lower, beyond what the sensitivity gains",
            second["difference"] >= -SECOND_SPECIFICITY_MARGIN - gain,
        ),
        _check(
            "Calibration error",
            f"at most {CALIBRATION_MARGIN} higher",
            calibration["difference"] <= CALIBRATION_MARGIN,
        ),
        _check(
            "Causes",
            "distinguished, if the model in use does so",
            new or not old,
        ),
        _check("Groups", "no group has a significantly lower sensitivity", not lost),
    ]


def _check(name: str, allowed: str, passed: bool) -> dict[str, Any]:
    return {"name": name, "allowed": allowed, "passed": bool(passed)}
