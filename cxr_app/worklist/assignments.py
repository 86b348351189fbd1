"""Films assigned to a reader. Each method is one transaction, and each change is recorded."""

from datetime import timedelta

from sqlalchemy import select

from cxr_app.errors import HandoverError
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.tables import ReviewRow
from cxr_app.worklist.transactions import Transactions

RECENT = timedelta(days=30)
"""Readers who have reviewed a film within this time are offered by name."""


class AssignmentLog(Transactions):
    """The readers who are to read films."""

    def assign(self, entry_id: str, to: str, reader: str) -> None:
        """Assign a film to a reader, in the place of whoever had it.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If no reader is named.
        """
        name = to.strip()
        if not name:
            raise HandoverError("Name the reader whom the film is for, then assign it.")
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            entry.assigned_to, entry.assigned_by, entry.assigned_at = name, reader, now
            session.add(new_event(EventKind.ASSIGNED, reader, now, entry.number, name))

    def end(self, entry_id: str, reader: str) -> None:
        """Leave the film to any reader again; nothing happens if it is assigned to nobody.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if entry.assigned_to is None:
                return
            detail = entry.assigned_to
            entry.assigned_to = entry.assigned_by = entry.assigned_at = None
            session.add(new_event(EventKind.ASSIGNMENT_ENDED, reader, now, entry.number, detail))

    def readers(self) -> list[str]:
        """Return the names of those who have reviewed films of late, in order."""
        recent = select(ReviewRow.reader).where(ReviewRow.reviewed_at > self._clock() - RECENT)
        with self._database.reading() as session:
            return sorted(filter(None, session.scalars(recent.distinct())))
