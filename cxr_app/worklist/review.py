"""What readers say of films, and who has a film open: plain values, no database."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path


class Verdict(Enum):
    """What a reader says of a film and the model's flag."""

    AGREE = "AGREE"
    """The flag is right: flagged and pneumonia, or not flagged and none."""
    DISAGREE = "DISAGREE"
    """The flag is wrong."""
    UNUSABLE = "UNUSABLE"
    """The film cannot be judged, by anybody."""


class Cause(Enum):
    """What a reader takes for the cause of a pneumonia."""

    BACTERIAL = "BACTERIAL"
    VIRAL = "VIRAL"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has a film open.

    Parameters
    ----------
    since, until
        Aware, UTC. It ends by itself unless it is said again before.
    """

    reader: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """What one reader said of a film at one moment, beside what the model had said.

    Parameters
    ----------
    verdict
        None for a comment alone.
    cause
        None where the reader named none.
    heat_seen
        Whether the reader had seen the heatmap of the film before.
    model_version, flagged, pneumonia_probability, threshold
        What the film's entry showed; empty or None where no model had spoken.
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

    @property
    def pneumonia(self) -> bool | None:
        """Whether the reader saw pneumonia; None where that was not said."""
        if self.flagged is None or self.verdict not in (Verdict.AGREE, Verdict.DISAGREE):
            return None
        return self.flagged == (self.verdict is Verdict.AGREE)


@dataclass(frozen=True, slots=True)
class ReviewedFilm:
    """A film, and what its last verdict says that it shows.

    Parameters
    ----------
    patient_id
        (0010,0020); empty where the file tells none.
    pneumonia
        What the reader saw.
    cause
        None where the reader named none; never one without pneumonia.
    """

    sha256: str
    path: Path
    patient_id: str
    pneumonia: bool
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How flags and readers' verdicts went together over some films, each by its last verdict.

    Parameters
    ----------
    week
        The Monday on which the week began, of the moments of the verdicts, in UTC.
    true_positive, false_positive, true_negative, false_negative
        Flagged or not, against what the reader saw.
    unusable
        Films that the reader could not judge.
    """

    week: date
    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0
    unusable: int = 0


@dataclass(frozen=True, slots=True)
class ReadingDay:
    """What has been read since a moment.

    Parameters
    ----------
    median_seconds
        From a film's arrival to its reading, half of the films faster; None where none was read.
    """

    read: int
    median_seconds: float | None
