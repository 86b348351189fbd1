"""Films whose retention time has ended: marked, deleted, recorded. Each method is one transaction.

A film is marked first and deleted later, so that a mistake of the clock or of a setting can be
noticed in between. A film's file is deleted within the transaction that records it. If the
transaction fails after the file is gone, the entry is still due: the next sweep finds no file and
records the deletion then. So a deletion is recorded once, and only if it was made.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cxr_app.worklist.database import Database
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry
from cxr_app.worklist.mapping import forget_patient
from cxr_app.worklist.received_tables import InstanceRow
from cxr_app.worklist.retention_tables import MarkRow
from cxr_app.worklist.secure_delete import scrub
from cxr_app.worklist.sweeps import SweepLog
from cxr_app.worklist.tables import READ_AT_INDEX, EntryRow
from cxr_app.worklist.transactions import Transactions

RETENTION = "retention time"
"""Name recorded in place of a reader's."""
MARKED_AT_ONCE = 500

T = TypeVar("T", int, str)


class Deletions(Transactions):
    """Deletion of films at the end of their retention time.

    Attributes
    ----------
    sweeps
        When films were last swept.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(database, clock)
        self.sweeps = SweepLog(database, clock)

    def mark(self, films: Path, read_before: datetime) -> int:
        """Mark the films that are due and kept here; return how many are new among them.

        Marks of films that are no longer due, or from a time that is yet to come, are removed.

        Parameters
        ----------
        films
            Root of the film store; files elsewhere are not ours to delete.
        """
        now = self._clock()
        with self._database.writing() as session:
            valid = select(EntryRow.number).where(*_is_due(read_before))
            session.execute(delete(MarkRow).where(MarkRow.entry_number.not_in(valid)))
            session.execute(delete(MarkRow).where(MarkRow.marked_at > now))
            marked = select(MarkRow.entry_number)
            due = _due(EntryRow.number, films, read_before)
            new = list(session.scalars(due.where(EntryRow.number.not_in(marked))))
            for start in range(0, len(new), MARKED_AT_ONCE):
                some = new[start : start + MARKED_AT_ONCE]
                rows = [{"entry_number": number, "marked_at": now} for number in some]
                session.execute(self._database.insert(MarkRow), rows)
        return len(new)

    def ripe(self, films: Path, read_before: datetime, marked_before: datetime) -> list[str]:
        """Return the ids of entries whose film is due, kept here, and was marked long enough ago.

        Parameters
        ----------
        films
            Root of the film store.
        """
        due = _due(EntryRow.id, films, read_before)
        due = due.join(MarkRow, MarkRow.entry_number == EntryRow.number)
        due = due.where(MarkRow.marked_at <= marked_before, MarkRow.marked_at >= EntryRow.read_at)
        with self._database.reading() as session:
            return list(session.scalars(due.order_by(EntryRow.read_at)))

    def marked(self) -> int:
        """Return the number of films that are marked."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(MarkRow)) or 0

    def kept(self, films: Path) -> int:
        """Return the number of films in the film store, by the worklist."""
        kept = select(func.count()).select_from(EntryRow)
        kept = kept.where(_is_kept_in(films), EntryRow.film_deleted_at.is_(None))
        with self._database.reading() as session:
            return session.scalar(kept) or 0

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
            for sha256 in _files_of(session, entry):
                remove(sha256)
            now = self._clock()
            entry.film_deleted_at = now
            forget_patient(entry)
            session.execute(delete(MarkRow).where(MarkRow.entry_number == entry.number))
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


def _files_of(session: Session, entry: EntryRow) -> set[str]:
    """Return the files of an entry that are no other's, as an earlier version made them."""
    further = select(InstanceRow.sha256).where(InstanceRow.entry_number == entry.number)
    files = {entry.sha256, *session.scalars(further)}
    others = select(EntryRow.sha256).where(
        EntryRow.sha256.in_(files),
        EntryRow.number != entry.number,
        EntryRow.film_deleted_at.is_(None),
    )
    return files.difference(session.scalars(others))


def _due(column: InstrumentedAttribute[T], films: Path, read_before: datetime) -> Select[T]:
    """Return a select of a column of the entries whose film is due and kept here."""
    statement = select(column).where(_is_kept_in(films), *_is_due(read_before))
    return statement.with_hint(EntryRow, f"INDEXED BY {READ_AT_INDEX}", dialect_name="sqlite")


def _is_kept_in(films: Path) -> ColumnElement[bool]:
    # Its folders are named by two hexadecimal digits; a path sorts by its bytes.
    return EntryRow.path.between(films / "0", films / "g")


def _is_due(read_before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a film to be due; an unscored one is needed even if it is read."""
    return (
        EntryRow.read_at < read_before,
        EntryRow.state.is_not(None),
        EntryRow.film_deleted_at.is_(None),
    )
