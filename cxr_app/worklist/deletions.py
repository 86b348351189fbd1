"""Films whose time has ended: which these are, and that they are gone. Each verb one transaction.

A film's file is deleted within the transaction that records it. Where that fails after the file is
gone, the entry is still due: the next sweep finds no file, and records it then. So a deletion is
recorded once, and never one that was not made.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, select

from cxr_app.worklist.database import Database
from cxr_app.worklist.mapping import forget_patient
from cxr_app.worklist.readings import event
from cxr_app.worklist.secure_delete import scrub
from cxr_app.worklist.tables import READ_AT_INDEX, EntryRow

FILM_DELETED = "FILM_DELETED"
"""Kind of event."""
RETENTION = "retention time"
"""Stands in an event in a reader's place."""


class Deletions:
    """What the retention time takes from the worklist.

    Parameters
    ----------
    database
        Open and up to date.
    clock
        Tells the time, aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def due(self, films: Path, read_before: datetime) -> list[str]:
        """Give the entries whose film is to go: judged, read before a moment, and kept here.

        Parameters
        ----------
        films
            Root of the film store; what lies elsewhere is not ours to delete.
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
            Deletes the file of a SHA-256; one that is gone already is no fault.

        Returns
        -------
        bool
            False where another server was faster, or the film counts as unread again.
        """
        statement = select(EntryRow).where(EntryRow.id == entry_id, *_is_due(read_before))
        with self._database.writing() as session:
            entry = session.scalar(statement.with_for_update())
            if entry is None:
                return False
            remove(entry.sha256)
            now = self._clock()
            entry.film_deleted_at = now
            forget_patient(entry)
            session.add(event(FILM_DELETED, RETENTION, now, entry.number))
            return True

    def scrub(self) -> bool:
        """Overwrite what the database keeps of deleted values; False where it must be tried again.

        Raises
        ------
        WorklistError
            If the database cannot be written.
        """
        return scrub(self._database)


def _is_due(read_before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say of an entry that its film is to go; one without a score is needed, even if it is read."""
    return (
        EntryRow.read_at < read_before,
        EntryRow.state.is_not(None),
        EntryRow.film_deleted_at.is_(None),
    )
