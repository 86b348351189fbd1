"""The readers' judgements of films: plain values, no database."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from pathlib import Path


class Verdict(Enum):
    """A reader's judgement of a film and of the model's flag."""

    AGREE = "AGREE"
    """The flag is right: flagged and pneumonia, or not flagged and none."""
    DISAGREE = "DISAGREE"
    """The flag is wrong."""
    UNUSABLE = "UNUSABLE"
    """The film cannot be judged."""
    UNSURE = "UNSURE"
    """The reader is unsure whether it shows pneumonia."""


class Cause(Enum):
    """The cause of a pneumonia, in a reader's judgement."""

    BACTERIAL = "BACTERIAL"
    VIRAL = "VIRAL"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class Review:
    """One reader's review of a film, with the model's result at that moment.

    Parameters
    ----------
    number
        Ascending, in the whole worklist.
    takes_back
        Number of the verdict that this row takes back; None if it is a review.
    is_taken_back
        Whether the reader has taken this verdict back.
    settles
        Whether this verdict settles what two readers differed in: it counts before all others.
    verdict
        None for a comment alone.
    cause
        None if the reader named none.
    heat_seen
        Whether the reader had seen the film's heatmap before.
    model_version, flagged, pneumonia_probability, threshold
        As the film's entry showed them; empty or None if no model had judged it.
    """

    reader: str
    reviewed_at: datetime
    verdict: Verdict | None
    cause: Cause | None = None
    comment: str = ""
    heat_seen: bool = False
    model_version: str = ""
    flagged: bool | None = None
    pneumonia_probability: float | None = None
    threshold: float | None = None
    number: int = 0
    takes_back: int | None = None
    is_taken_back: bool = False
    settles: bool = False

    @property
    def pneumonia(self) -> bool | None:
        """Whether the reader saw pneumonia; None if unknown."""
        if self.flagged is None or self.verdict not in (Verdict.AGREE, Verdict.DISAGREE):
            return None
        return self.flagged == (self.verdict is Verdict.AGREE)


def last_verdict(reviews: Iterable[Review]) -> Review | None:
    """Return the verdict that counts: of those not taken back the last settlement, else the last.

    Parameters
    ----------
    reviews
        Newest first.
    """
    held = [each for each in reviews if each.verdict and not each.is_taken_back]
    return next((each for each in held if each.settles), next(iter(held), None))


@dataclass(frozen=True, slots=True)
class ReviewedFilm:
    """A film and its last verdict.

    Parameters
    ----------
    patient_id
        (0010,0020); empty if the file has none.
    pneumonia
        Whether the reader saw it.
    cause
        None if the reader named none, or saw no pneumonia.
    """

    sha256: str
    path: Path
    patient_id: str
    pneumonia: bool
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class ReviewedCounts:
    """How many films readers have judged, and which of them a retraining can use.

    Parameters
    ----------
    normal, bacterial, viral
        Films that can be used.
    without_cause
        Pneumonia whose cause the reader did not name, or called unclear.
    unsure, unusable
        Films whose reader could not tell.
    disputed
        Films read twice in which the readers differ.
    turned
        Films that a reader has turned or mirrored, and judged.
    deleted
        Judged films that are no longer kept.
    """

    normal: int = 0
    bacterial: int = 0
    viral: int = 0
    without_cause: int = 0
    unsure: int = 0
    unusable: int = 0
    disputed: int = 0
    turned: int = 0
    deleted: int = 0

    @property
    def usable(self) -> int:
        """Films that can be used."""
        return self.normal + self.bacterial + self.viral

    @property
    def reviewed(self) -> int:
        """All of them."""
        return sum(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How flags agree with readers' verdicts in one week; of each film the last verdict counts.

    Parameters
    ----------
    week
        The Monday of the week of the verdicts, in UTC.
    true_positive, false_positive, true_negative, false_negative
        The flag compared with what the reader saw.
    unusable
        Films that could not be judged.
    unsure
        Films whose reader was unsure.
    """

    week: date
    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0
    unusable: int = 0
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class ReadingDay:
    """What was read since a moment.

    Parameters
    ----------
    median_seconds
        Median time from a film's arrival to its reading; None if none was read.
    """

    read: int
    median_seconds: float | None
