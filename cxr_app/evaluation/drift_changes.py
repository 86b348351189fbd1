"""A site's films week by week: what is followed, what it is compared with, what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from cxr_app.drift_alarms import LOWER_IS_WORSE, AlarmLines, DriftFigure
from cxr_app.evaluation.drift_figures import FEWEST, Figures, measure, model_scores, scored_by
from cxr_app.evaluation.drift_films import Coded, DriftFilms, SenderFact, monday
from cxr_app.evaluation.metrics import Booleans, Floats

MAX_SENDERS = 40
"""Number of senders whose figures are computed: those with most films."""
REFERENCE_WEEKS = 8
"""Number of weeks that scores are compared with unless a person chooses others."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What scores are compared with.

    Parameters
    ----------
    weeks
        The weeks whose films are the reference; None if it is other films.
    scores
        Probabilities of those other films.
    """

    weeks: range | None = None
    scores: Floats | None = None

    def of(self, films: DriftFilms, group: Booleans, model: str) -> Floats | None:
        """Return the scores that films of a group are compared with: of the same group, if here."""
        if self.weeks is None:
            return self.scores
        return model_scores(films, group & self.covers(films), model)

    def covers(self, films: DriftFilms) -> Booleans:
        """Return which films are part of the reference."""
        if self.weeks is None:
            return np.zeros(len(films), np.bool_)
        covered: Booleans = (films.week >= self.weeks.start) & (films.week < self.weeks.stop)
        return covered


@dataclass(frozen=True, slots=True)
class FilmGroup:
    """Films of one week or of one sender.

    Parameters
    ----------
    films, scored, flagged, refused
        Numbers of films; `scored` by the model that is followed, and `flagged` of those.
    """

    films: int
    scored: int
    flagged: int
    refused: int
    figures: Figures


def first_weeks(films: DriftFilms, model: str) -> range | None:
    """Return the first weeks in which a model has scored films, if they hold enough."""
    weeks = films.week[scored_by(films, model)]
    if not len(weeks):
        return None
    found = range(int(weeks.min()), int(weeks.min()) + REFERENCE_WEEKS)
    return found if np.count_nonzero(weeks < found.stop) >= FEWEST else None


def by_week(
    films: DriftFilms, group: Booleans, model: str, reference: Reference, weeks: range
) -> dict[int, FilmGroup]:
    """Return the figures of a group of films in each week; weeks without films are empty."""
    scores = reference.of(films, group, model)
    return {week: _group(films, group & (films.week == week), model, scores) for week in weeks}


def by_sender(
    films: DriftFilms, sender: SenderFact, model: str, reference: Reference, weeks: range
) -> dict[str, FilmGroup]:
    """Return the figures of each sender in all these weeks, the one with most films first.

    Its scores in weeks outside of the reference are compared with its own in the reference.
    """
    shown = (films.week >= weeks.start) & (films.week < weeks.stop)
    compared = ~reference.covers(films)
    coded = films.senders[sender]
    groups = {}
    for name in most_films_first(Coded(coded.names, coded.codes[shown]))[:MAX_SENDERS]:
        group = coded.is_name(name)
        scores = reference.of(films, group, model)
        groups[name] = _group(films, group & shown, model, scores, compared)
    return groups


def most_films_first(coded: Coded) -> list[str]:
    """Return the values that films have, the one of most films first."""
    counts = np.bincount(coded.codes, minlength=len(coded.names))
    order = np.argsort(-counts, kind="stable")
    return [coded.names[place] for place in order if counts[place]]


def beyond(figures: Figures, lines: AlarmLines) -> list[DriftFigure]:
    """Return the figures whose whole interval is beyond their line."""
    return [figure for figure, line in lines.items() if _is_beyond(figures, figure, line)]


def new_senders(films: DriftFilms, coded: Coded) -> Mapping[str, date]:
    """Return the week in which each sender's first film came, if others had come before."""
    if not len(films):
        return {}
    first = {name: int(films.week[coded.is_name(name)].min()) for name in coded.names if name}
    start = int(films.week.min())
    return {name: monday(week) for name, week in sorted(first.items()) if week > start}


def _group(
    films: DriftFilms,
    chosen: Booleans,
    model: str,
    scores: Floats | None,
    compared: Booleans | None = None,
) -> FilmGroup:
    scored = chosen & scored_by(films, model)
    return FilmGroup(
        films=int(chosen.sum()),
        scored=int(scored.sum()),
        flagged=int((scored & films.flagged).sum()),
        refused=int((chosen & films.refused).sum()),
        figures=measure(films, chosen, model, scores, compared),
    )


def _is_beyond(figures: Figures, figure: DriftFigure, line: float) -> bool:
    estimate = figures[figure].estimate
    if estimate is None:
        return False
    return estimate.high < line if figure in LOWER_IS_WORSE else estimate.low > line
