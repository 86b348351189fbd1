"""Rows that record who did what: added, never changed."""

from datetime import datetime
from enum import StrEnum

from cxr_app.worklist.tables import EventRow


class EventKind(StrEnum):
    """What was done."""

    TAKEN_OVER = "TAKEN_OVER"
    """A reader took a film that another had open."""
    UNMASKED = "UNMASKED"
    """A reader had names and ids shown."""
    DISMISSED = "DISMISSED"
    """A reader marked as read all files that are plainly no chest films; the detail counts them."""
    DISMISSAL_UNDONE = "DISMISSAL_UNDONE"
    """The reader took that back."""
    ATTESTED = "ATTESTED"
    """A reader said that a film is a frontal chest film; the detail says how it lies."""
    ATTESTATION_TAKEN_BACK = "ATTESTATION_TAKEN_BACK"
    """A reader took such a word back."""
    URGENT = "URGENT"
    """A reader marked a film as urgent; the detail says why."""
    URGENCY_TAKEN_BACK = "URGENCY_TAKEN_BACK"
    """A reader took that back; the detail names who had marked it."""
    ASSIGNED = "ASSIGNED"
    """A film was assigned; the detail names the reader whom it is for."""
    ASSIGNMENT_ENDED = "ASSIGNMENT_ENDED"
    """A film was left to any reader again; the detail names the one who had it."""
    NOTE_SETTLED = "NOTE_SETTLED"
    """A reader dealt with a note on a film."""
    SECOND_READING_ASKED = "SECOND_READING_ASKED"
    """A reader asked for a second reading."""
    SECOND_READING_WITHDRAWN = "SECOND_READING_WITHDRAWN"
    """The reader took that back."""
    FILM_DELETED = "FILM_DELETED"
    """A film was deleted at the end of its retention time."""
    CLOCK_CONFIRMED = "CLOCK_CONFIRMED"
    """A person confirmed that the server's clock is right, after it had jumped."""


def new_event(
    kind: EventKind,
    reader: str,
    now: datetime,
    entry_number: int | None = None,
    detail: str | None = None,
) -> EventRow:
    """Return a new row, to be added to a session."""
    return EventRow(
        happened_at=now, kind=kind.value, reader=reader, entry_number=entry_number, detail=detail
    )
