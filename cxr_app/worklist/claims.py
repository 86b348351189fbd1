"""Which reader has which film open. Each method is one transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cxr_app.worklist.entry import Claim
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.tables import ClaimRow, EntryRow
from cxr_app.worklist.transactions import Transactions

CLAIM_LIFETIME = timedelta(minutes=3)
"""Time after which a claim ends unless renewed: the browser was closed, or lost."""
RENEW_BELOW = timedelta(minutes=2, seconds=30)
"""Remaining lifetime below which a claim is written again."""


class ClaimLog(Transactions):
    """The films that readers have open."""

    def claim(self, entry_id: str, reader: str, *, take_over: bool = False) -> Claim:
        """Claim a film for a reader, unless another has it open.

        Parameters
        ----------
        take_over
            Take the film from the reader who has it; this is recorded.

        Returns
        -------
        Claim
            The valid one: the reader's own, or another's.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        now = self._clock()
        fresh = self._fresh_claim(entry_id, reader, now)
        if fresh is not None:
            return fresh
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            row = session.get(ClaimRow, entry.number)
            is_valid = row is not None and row.until > now
            if row is not None and is_valid and row.reader != reader:
                if not take_over:
                    return _as_claim(row)
                session.add(
                    new_event(EventKind.TAKEN_OVER, reader, now, entry.number, detail=row.reader)
                )
                is_valid = False
            if row is None:
                row = ClaimRow(entry_number=entry.number)
                session.add(row)
            if not is_valid:
                row.since = now
            row.reader, row.until = reader, now + CLAIM_LIFETIME
            return _as_claim(row)

    def release(self, entry_id: str, reader: str) -> None:
        """End a reader's claim; another reader's is left unchanged."""
        number = select(EntryRow.number).where(EntryRow.id == entry_id).scalar_subquery()
        own = delete(ClaimRow).where(ClaimRow.entry_number == number, ClaimRow.reader == reader)
        with self._database.writing() as session:
            session.execute(own)

    def _fresh_claim(self, entry_id: str, reader: str, now: datetime) -> Claim | None:
        """Return a reader's claim that need not be renewed yet: a page asks at each rerun."""
        statement = (
            select(ClaimRow)
            .join(EntryRow, EntryRow.number == ClaimRow.entry_number)
            .where(EntryRow.id == entry_id, ClaimRow.reader == reader)
            .where(ClaimRow.until > now + RENEW_BELOW)
        )
        with self._database.reading() as session:
            row = session.scalar(statement)
            return None if row is None else _as_claim(row)


def claims_of(session: Session, numbers: Iterable[int], now: datetime) -> dict[int, Claim]:
    """Return the valid claims on some films, by the number of the entry."""
    statement = select(ClaimRow).where(ClaimRow.entry_number.in_(numbers), ClaimRow.until > now)
    return {row.entry_number: _as_claim(row) for row in session.scalars(statement)}


def _as_claim(row: ClaimRow) -> Claim:
    return Claim(row.reader, row.since, row.until)
