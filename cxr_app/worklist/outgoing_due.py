"""Which of the objects that wait for an archive may be sent now, and what they replace there."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from cxr_app.destination import ResultKind
from cxr_app.worklist.outgoing import OutgoingState
from cxr_app.worklist.outgoing_tables import ArchiveRow, OutgoingRow
from cxr_app.worklist.review_rows import disputed
from cxr_app.worklist.tables import EntryRow

LONGEST_PAUSE = timedelta(hours=1)
"""Longest wait of an object."""
CLOCK_SLACK = timedelta(minutes=10)
"""How far servers' clocks may be apart; what is due later was noted while a clock was ahead."""


def may_be_sent(
    destination: str, now: datetime, *, after_reading: bool
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for an object to be claimed.

    Parameters
    ----------
    destination
        Name of the archive.
    after_reading
        Whether the results of a film that is unread, or unread again, wait.
    """
    due = (
        OutgoingRow.destination == destination,
        OutgoingRow.state == OutgoingState.WAITING,
        or_(OutgoingRow.due_at <= now, OutgoingRow.due_at > now + LONGEST_PAUSE + CLOCK_SLACK),
        unclaimed(now),
        ~_is_disputed(),
        ~_is_held(destination),
        ~_follows_one_that_waits(),
    )
    return (*due, or_(_is_read(), _withdraws())) if after_reading else due


def unclaimed(now: datetime) -> ColumnElement[bool]:
    """Return whether nobody is sending an object."""
    return or_(OutgoingRow.claimed_until.is_(None), OutgoingRow.claimed_until < now)


def _is_held(destination: str) -> ColumnElement[bool]:
    return exists().where(ArchiveRow.name == destination, ArchiveRow.held_at.is_not(None))


def _is_disputed() -> ColumnElement[bool]:
    """Return whether an object is a verdict on a film in which readers differ."""
    return and_(OutgoingRow.kind == ResultKind.READING, OutgoingRow.entry_number.in_(disputed()))


def _follows_one_that_waits() -> ColumnElement[bool]:
    """Return whether an earlier object of the kind for the film is on its way, or will be again.

    Sent after this one it would be the newest that the archive has, and nothing would replace it.
    """
    earlier = aliased(OutgoingRow)
    return exists().where(
        earlier.entry_number == OutgoingRow.entry_number,
        earlier.destination == OutgoingRow.destination,
        earlier.kind == OutgoingRow.kind,
        earlier.scored_at < OutgoingRow.scored_at,
        earlier.state == OutgoingState.WAITING,
    )


def _is_read() -> ColumnElement[bool]:
    """Return whether the film of an object is read: one look-up each, however many films wait."""
    film = select(EntryRow.is_read).where(EntryRow.number == OutgoingRow.entry_number)
    return film.scalar_subquery()


def _withdraws() -> ColumnElement[bool]:
    """Return whether an object is about a verdict and the archive has one of the same film."""
    earlier = aliased(OutgoingRow)
    has_one = exists().where(
        earlier.entry_number == OutgoingRow.entry_number,
        earlier.destination == OutgoingRow.destination,
        earlier.kind == ResultKind.READING,
        earlier.state == OutgoingState.SENT,
    )
    return and_(OutgoingRow.kind == ResultKind.READING, has_one)


def replaced_moment(session: Session, row: OutgoingRow) -> datetime | None:
    """Return when the document was made that an archive has and this object replaces.

    Another archive may have other ones, and a document that was given up stands in none.
    """
    kind = ResultKind.READING if row.kind is ResultKind.READING else ResultKind.REPORT
    statement = (
        select(func.max(OutgoingRow.scored_at))
        .where(OutgoingRow.entry_number == row.entry_number)
        .where(OutgoingRow.destination == row.destination, OutgoingRow.kind == kind)
        .where(OutgoingRow.scored_at < row.scored_at, OutgoingRow.state == OutgoingState.SENT)
    )
    return session.scalar(statement)
