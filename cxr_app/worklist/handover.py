"""What readers hand to each other with a film: urgency, assignment, notes. Plain values."""

from dataclasses import dataclass
from datetime import datetime

LONGEST_REASON = 80
LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Urgency:
    """A reader's word that a film is urgent.

    Parameters
    ----------
    marked_at
        Aware, UTC.
    reason
        Why, in a few words; never empty.
    """

    reader: str
    marked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """The reader who is to read a film.

    Parameters
    ----------
    assigned_at
        Aware, UTC.
    """

    reader: str
    assigned_by: str
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a film to its next reader.

    Parameters
    ----------
    number
        Identifies it.
    written_at, settled_at
        Aware, UTC. `settled_at` is None while the note is open.
    settled_by
        Who has dealt with it; empty while it is open.
    """

    number: int
    reader: str
    written_at: datetime
    text: str
    settled_by: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UrgentFilms:
    """The unread films that readers have marked as urgent.

    Parameters
    ----------
    newest_at
        When the newest was marked; aware, UTC. None if there is none.
    newest_by
        Who marked it; empty if there is none.
    """

    films: int = 0
    newest_at: datetime | None = None
    newest_by: str = ""
