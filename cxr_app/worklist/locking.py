"""The locked select of entries: no other transaction changes them until this one ends.

SQLite ignores the lock; there a writing transaction has the database to itself.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cxr_app.errors import EntryNotFoundError
from cxr_app.worklist.tables import EntryRow


def locked_entries(session: Session, *conditions: ColumnElement[bool]) -> Sequence[EntryRow]:
    """Return the entries that meet all conditions, locked in one order, so that none deadlock."""
    statement = select(EntryRow).where(*conditions).order_by(EntryRow.sha256)
    return session.scalars(statement.with_for_update()).all()


def locked_entry(session: Session, *conditions: ColumnElement[bool]) -> EntryRow | None:
    """Return the one entry that meets all conditions, locked; None if there is none."""
    return session.scalar(select(EntryRow).where(*conditions).with_for_update())


def locked_entry_by_id(session: Session, entry_id: str) -> EntryRow:
    """Return the entry with this id, locked.

    Raises
    ------
    EntryNotFoundError
        If no entry has this id.
    """
    entry = locked_entry(session, EntryRow.id == entry_id)
    if entry is None:
        raise EntryNotFoundError.of(entry_id)
    return entry
