"""Films of a site in columns, and the figures of any of them that show drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cxr_app.drift_alarms import DriftFigure
from cxr_app.evaluation.drift import kolmogorov_smirnov, population_stability
from cxr_app.evaluation.metrics import Booleans, Estimate, Floats, wilson_interval

FEWEST = 30
"""Smallest number of films that a figure is computed from."""
NO_VERDICT = -1
EPOCH_MONDAY = date(1969, 12, 29)

Codes = NDArray[np.int_]


class SenderFact(StrEnum):
    """What films are grouped by."""

    STATION = "station"
    MANUFACTURER = "manufacturer"
    INSTITUTION = "institution"
    VIEW = "view"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Coded:
    """A text for each film, as a number into the list of its values; empty if it is unknown."""

    names: tuple[str, ...]
    codes: Codes

    def is_name(self, name: str) -> Booleans:
        """Return which films have this value."""
        chosen: Booleans = self.codes == (self.names.index(name) if name in self.names else -1)
        return chosen


@dataclass(frozen=True, slots=True)
class DriftFilms:
    """Films by their arrival, one value a film in each column, ``(n,)``.

    Parameters
    ----------
    week
        Number of the week of arrival in UTC: weeks since Monday 1969-12-29.
    refused
        Which films were rejected or unreadable.
    probability
        Of pneumonia; NaN for a film that no model has scored.
    flagged
        Which films are flagged.
    model
        The version that gave the score; empty for a film without one.
    pneumonia
        What the last reader saw: 1 or 0; `NO_VERDICT` if nobody could tell.
    flagged_then
        Which films were flagged when the reader saw them.
    model_then
        The version whose flag the reader saw.
    senders
        Where films come from.
    """

    week: Codes
    refused: Booleans
    probability: Floats
    flagged: Booleans
    model: Coded
    pneumonia: Codes
    flagged_then: Booleans
    model_then: Coded
    senders: Mapping[SenderFact, Coded]

    def __len__(self) -> int:
        """Return the number of films."""
        return len(self.week)


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


def monday(week: int) -> date:
    """Return the first day of a week."""
    return EPOCH_MONDAY + timedelta(weeks=int(week))


def week_of(day: date) -> int:
    """Return the number of the week that a day is in."""
    return (day - EPOCH_MONDAY).days // 7


def model_scores(films: DriftFilms, chosen: Booleans, model: str) -> Floats:
    """Return the probabilities of the chosen films that a model has scored; any, if empty."""
    scores: Floats = films.probability[chosen & _scored_by(films, model)]
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
    scored = chosen & _scored_by(films, model)
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


def _scored_by(films: DriftFilms, model: str) -> Booleans:
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
