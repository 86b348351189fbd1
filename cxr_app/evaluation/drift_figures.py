"""The figures of any films of a site that show drift."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxr_app.drift_alarms import DriftFigure
from cxr_app.evaluation.drift import kolmogorov_smirnov, population_stability
from cxr_app.evaluation.drift_films import NO_VERDICT, DriftFilms
from cxr_app.evaluation.metrics import Booleans, Estimate, Floats, wilson_interval

FEWEST = 30
"""Smallest number of films that a figure is computed from."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of some films.

    Parameters
    ----------
    films
        On which it rests.
    estimate
        None if they are fewer than `FEWEST`.
    """

    films: int
    estimate: Estimate | None


Figures = Mapping[DriftFigure, Measured]


def model_scores(films: DriftFilms, chosen: Booleans, model: str) -> Floats:
    """Return the probabilities of the chosen films that a model has scored; any, if empty."""
    scores: Floats = films.probability[chosen & scored_by(films, model)]
    return scores


def measure(
    films: DriftFilms,
    chosen: Booleans,
    model: str,
    reference: Floats | None,
    compared: Booleans | None = None,
) -> Figures:
    """Return every figure of the chosen films.

    Parameters
    ----------
    chosen
        Which films, ``(n,)``.
    model
        Only its scores and verdicts on its flags count; all of them, if empty.
    reference
        Probabilities that scores are compared with; None if there is nothing to compare.
    compared
        The chosen films whose scores are compared; all of them, if left out.
    """
    scored = chosen & scored_by(films, model)
    refused = chosen & films.refused
    seen = chosen & (films.pneumonia != NO_VERDICT)
    if model:
        seen &= films.model_then.is_name(model)
    with_it, without = seen & (films.pneumonia == 1), seen & (films.pneumonia == 0)
    flag = films.flagged_then
    agreeing = flag == (films.pneumonia == 1)
    figures = {
        DriftFigure.FLAGGED: _share(scored & films.flagged, scored),
        DriftFigure.REFUSED: _share(refused, scored | refused),
        DriftFigure.AGREEMENT: _share(seen & agreeing, seen),
        DriftFigure.SENSITIVITY: _share(with_it & flag, with_it),
        DriftFigure.SPECIFICITY: _share(without & ~flag, without),
    }
    moving = scored if compared is None else scored & compared
    return figures | _moved(films.probability[moving], reference)


def scored_by(films: DriftFilms, model: str) -> Booleans:
    """Return which films a model has scored; any, if empty."""
    is_scored: Booleans = ~np.isnan(films.probability)
    return is_scored & films.model.is_name(model) if model else is_scored


def _share(part: Booleans, whole: Booleans) -> Measured:
    found, films = int(part.sum()), int(whole.sum())
    if films < FEWEST:
        return Measured(films, None)
    return Measured(films, Estimate(found / films, *wilson_interval(found, films)))


def _moved(scores: Floats, reference: Floats | None) -> dict[DriftFigure, Measured]:
    """Compare scores with those of the reference, if both are enough."""
    psi = ks = None
    if reference is not None and min(len(reference), len(scores)) >= FEWEST:
        psi = population_stability(reference, scores)
        ks = kolmogorov_smirnov(reference, scores)
    return {
        DriftFigure.PSI: Measured(len(scores), psi),
        DriftFigure.KS: Measured(len(scores), ks),
    }
