"""The locked select of entries, and turns: no other transaction is in between until this one ends.

SQLite ignores the lock; there a writing transaction has the database to itself.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, String, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
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


def take_turns(session: Session, names: Iterable[str]) -> None:
    """Let transactions that give one of these names wait for each other, on any server.

    In SQLite every writing transaction does.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    # All callers use the same order, else two of them would deadlock.
    in_order = literal(sorted(set(names)), ARRAY(String))
    name = func.unnest(in_order).column_valued("name")
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
