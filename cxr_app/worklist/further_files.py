"""Files that hold a film which the worklist has from another file: a film is one entry."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Select, String, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from cxr_app.worklist.column_types import RowNumber
from cxr_app.worklist.tables import EntryRow, Table

MOST_SHARING = 16
"""Entries under one SOP Instance UID beyond which the UID identifies nothing."""


class FurtherFileRow(Table):
    """One file of a folder whose film came in another file, too."""

    __tablename__ = "worklist_further_file"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_number: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("worklist_entry.number"), index=True
    )


def has_file(sha256s: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that an entry's film is in one of these files."""
    wanted = list(sha256s)
    own = select(EntryRow.number).where(EntryRow.sha256.in_(wanted))
    further = select(FurtherFileRow.entry_number).where(FurtherFileRow.sha256.in_(wanted))
    return EntryRow.number.in_(union_all(own, further))


def by_any_file(*columns: InstrumentedAttribute[Any]) -> tuple[Select[Any], Select[Any]]:
    """Return two selects, of the SHA-256 of entries and of further files, each with columns."""
    own = select(EntryRow.sha256, *columns).select_from(EntryRow)
    further = select(FurtherFileRow.sha256, *columns).select_from(FurtherFileRow)
    return own, further.join(EntryRow, EntryRow.number == FurtherFileRow.entry_number)


def add_further_file(
    session: Session, insert: Callable[..., Any], sha256: str, entry_number: int
) -> None:
    """Note that a film is in another file, too."""
    row = {"sha256": sha256, "entry_number": entry_number}
    session.execute(insert(FurtherFileRow).values(row).on_conflict_do_nothing())


def sharing_uids(session: Session, uids: Mapping[str, str]) -> set[str]:
    """Return the films whose SOP Instance UID another film has, so that they must be compared.

    Parameters
    ----------
    uids
        By SHA-256, the films' UIDs, in the order of arrival; the first of several is not returned.
    """
    holders: dict[str, set[str]] = {uid: set() for uid in uids.values()}
    held = select(EntryRow.sop_instance_uid, EntryRow.sha256)
    held = held.where(EntryRow.sop_instance_uid.in_(holders), EntryRow.film_deleted_at.is_(None))
    for uid, sha256 in session.execute(held):
        holders[uid or ""].add(sha256)
    shared = set()
    for sha256, uid in uids.items():
        others = holders[uid] - {sha256}
        if sha256 not in holders[uid] and 0 < len(others) < MOST_SHARING:
            shared.add(sha256)
        else:
            holders[uid].add(sha256)
    return shared
