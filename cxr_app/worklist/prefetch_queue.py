"""Flagged films whose patients' earlier films are to be fetched. Each method is one transaction.

No two servers ask for the same film at once: who asks has a claim, which ends by itself if its
owner dies.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, literal, or_, select, update

from cxr_app.outcome import ScoringState
from cxr_app.worklist.prefetch import Prefetch, PrefetchState
from cxr_app.worklist.prefetch_tables import PrefetchRow
from cxr_app.worklist.tables import SCORED_AT_INDEX, EntryRow
from cxr_app.worklist.transactions import Transactions

MOST_TRIES = 3
PAUSE = timedelta(minutes=5)
"""Pause after the first failure, doubled after the second."""
LEASE = timedelta(minutes=15)
"""How long a claim holds; longer than the films of one patient can take to come."""
AT_ONCE = 200


class PrefetchQueue(Transactions):
    """The films whose patients' earlier films are fetched ahead."""

    def fill(self, age: timedelta) -> int:
        """Add flagged films that nobody has read yet; return how many.

        Parameters
        ----------
        age
            Films that were scored longer ago are left out.
        """
        now = self._clock()
        known = exists().where(PrefetchRow.entry_number == EntryRow.number)
        statement = (
            select(EntryRow.number)
            .with_hint(EntryRow, f"INDEXED BY {SCORED_AT_INDEX}", dialect_name="sqlite")
            .where(EntryRow.scored_at >= now - age, EntryRow.state == ScoringState.SCORED)
            .where(
                EntryRow.flagged.is_(True),
                ~EntryRow.is_read,
                EntryRow.patient_id.is_not(None),
                ~known,
            )
            .order_by(EntryRow.scored_at)
            .limit(AT_ONCE)
        )
        new = {"state": PrefetchState.WAITING, "tries": 0, "films": 0, "due_at": now}
        with self._database.reading() as session:
            rows = [{"entry_number": each, **new} for each in session.scalars(statement)]
        if rows:
            insert = self._database.insert(PrefetchRow.__table__).on_conflict_do_nothing()
            with self._database.writing() as session:
                session.execute(insert, rows)
        return len(rows)

    def claim(self) -> Prefetch | None:
        """Claim the film that is due longest; None if none is."""
        now = self._clock()
        due = (
            select(PrefetchRow)
            .where(PrefetchRow.state == PrefetchState.WAITING, PrefetchRow.due_at <= now)
            .where(or_(PrefetchRow.claimed_until.is_(None), PrefetchRow.claimed_until < now))
            .order_by(PrefetchRow.due_at, PrefetchRow.entry_number)
            .limit(1)
        )
        with self._database.reading() as session:
            if session.scalar(due) is None:
                return None
        with self._database.writing() as session:
            row = session.scalar(due.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.claim, row.claimed_until = uuid4().hex, now + LEASE
            entry_id = session.scalars(
                select(EntryRow.id).where(EntryRow.number == row.entry_number)
            ).one()
            return _as_prefetch(row, entry_id)

    def done(self, prefetch: Prefetch, films: int, remark: str = "") -> None:
        """Record that the archive was searched and its films have come."""
        self._end(prefetch, state=PrefetchState.DONE, films=films, problem=remark)

    def skip(self, prefetch: Prefetch, reason: str) -> None:
        """Record that there is nothing to ask for."""
        self._end(prefetch, state=PrefetchState.SKIPPED, problem=reason)

    def fail(self, prefetch: Prefetch, films: int, problem: str) -> None:
        """Record that asking failed; it is tried again after a pause, a few times in all."""
        tries = prefetch.tries + 1
        state = PrefetchState.GIVEN_UP if tries >= MOST_TRIES else PrefetchState.WAITING
        due_at = self._clock() + PAUSE * 2**prefetch.tries
        films += prefetch.films
        self._end(prefetch, state=state, tries=tries, films=films, due_at=due_at, problem=problem)

    def release(self, prefetch: Prefetch) -> None:
        """Give a claim back: this server stops, and another one may go on at once."""
        self._end(prefetch, state=PrefetchState.WAITING)

    def of_film(self, entry_id: str) -> Prefetch | None:
        """Return what was fetched for a film; None if nothing was asked for."""
        statement = (
            select(PrefetchRow)
            .join(EntryRow, EntryRow.number == PrefetchRow.entry_number)
            .where(EntryRow.id == literal(entry_id))
        )
        with self._database.reading() as session:
            row = session.scalar(statement)
            return None if row is None else _as_prefetch(row, entry_id)

    def _end(self, prefetch: Prefetch, **values: Any) -> None:
        """Change a claimed film and give the claim up, unless another has taken it over."""
        statement = update(PrefetchRow).where(
            PrefetchRow.claim == prefetch.claim, PrefetchRow.claim.is_not(None)
        )
        with self._database.writing() as session:
            session.execute(statement.values(claim=None, claimed_until=None, **values))


def _as_prefetch(row: PrefetchRow, entry_id: str) -> Prefetch:
    return Prefetch(entry_id, row.state, row.tries, row.films, row.problem or "", row.claim or "")
