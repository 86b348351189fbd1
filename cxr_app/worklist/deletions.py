"""Films whose retention time has ended: found, deleted, recorded. Each method is one transaction.

A film's file is deleted within the transaction that records it. If the transaction fails after the
file is gone, the entry is still due: the next sweep finds no file and records the deletion then. So
a deletion is recorded once, and only if it was made.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, select

from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry
from cxr_app.worklist.mapping import forget_patient
from cxr_app.worklist.received_tables import InstanceRow
from cxr_app.worklist.secure_delete import scrub
from cxr_app.worklist.tables import READ_AT_INDEX, EntryRow
from cxr_app.worklist.transactions import Transactions

RETENTION = "retention time"
"""Name recorded in place of a reader's."""


class Deletions(Transactions):
    """Deletion of films at the end of their retention time."""

    def due(self, films: Path, read_before: datetime) -> list[str]:
        """Return the ids of entries whose film is due: judged, read before a moment, and kept here.

        Parameters
        ----------
        films
            Root of the film store; files elsewhere are not ours to delete.
        """
        # Its folders are named by two hexadecimal digits; a path sorts by its bytes.
        kept_here = EntryRow.path.between(films / "0", films / "g")
        statement = select(EntryRow.id).where(kept_here, *_is_due(read_before))
        statement = statement.with_hint(
            EntryRow, f"INDEXED BY {READ_AT_INDEX}", dialect_name="sqlite"
        )
        with self._database.reading() as session:
            return list(session.scalars(statement.order_by(EntryRow.read_at)))

    def delete(self, entry_id: str, read_before: datetime, remove: Callable[[str], None]) -> bool:
        """Delete a film that is still due, and record it; scores and reviews stay.

        Parameters
        ----------
        remove
            Deletes the file of a SHA-256; does nothing if it is gone already. A film that came in
            two transfer syntaxes has two files.

        Returns
        -------
        bool
            False if another server was faster, or if the film counts as unread again.
        """
        with self._database.writing() as session:
            entry = locked_entry(session, EntryRow.id == entry_id, *_is_due(read_before))
            if entry is None:
                return False
            further = select(InstanceRow.sha256).where(InstanceRow.entry_number == entry.number)
            for sha256 in {entry.sha256, *session.scalars(further)}:
                remove(sha256)
            now = self._clock()
            entry.film_deleted_at = now
            forget_patient(entry)
            session.add(new_event(EventKind.FILM_DELETED, RETENTION, now, entry.number))
            return True

    def scrub(self) -> bool:
        """Overwrite what is left of deleted values; False if it must be tried again.

        Raises
        ------
        WorklistError
            If the database cannot be written.
        """
        return scrub(self._database)


def _is_due(read_before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a film to be due; an unscored one is needed even if it is read."""
    return (
        EntryRow.read_at < read_before,
        EntryRow.state.is_not(None),
        EntryRow.film_deleted_at.is_(None),
    )
