"""Films of a site in columns, for the figures that show drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import Booleans, Floats

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


def monday(week: int) -> date:
    """Return the first day of a week."""
    return EPOCH_MONDAY + timedelta(weeks=int(week))


def week_of(day: date) -> int:
    """Return the number of the week that a day is in."""
    return (day - EPOCH_MONDAY).days // 7
