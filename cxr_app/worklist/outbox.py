"""Results on their way to archives. Each method is one transaction.

Nothing is sent by two servers at once: who sends an object has a claim on it, which ends some time
after its owner has died. An object sent just before a crash is sent again, with the same UIDs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from cxr_app.destination import Destination, ResultKind
from cxr_app.outcome import ScoringState
from cxr_app.worklist.claim_owner import is_abandoned, new_claim
from cxr_app.worklist.outgoing import (
    NOT_AGAIN,
    WITHDRAWN,
    ArchiveState,
    Outgoing,
    OutgoingState,
)
from cxr_app.worklist.outgoing_due import LONGEST_PAUSE, may_be_sent, replaced_moment, unclaimed
from cxr_app.worklist.outgoing_readings import NEEDED, unsent_readings
from cxr_app.worklist.outgoing_tables import ArchiveRow, OutgoingRow
from cxr_app.worklist.shared_secret import shared_secret
from cxr_app.worklist.tables import READ_AT_INDEX, SCORED_AT_INDEX, EntryRow, SecretRow
from cxr_app.worklist.transactions import Transactions

INSTALLATION = "installation"
ID_BYTES = 16

LEASE = timedelta(minutes=5)
"""How long a claim holds; longer than one film's objects can take to be sent or to fail."""

FIRST_PAUSE = timedelta(seconds=30)
"""Pause after the first failure, doubled after each further one up to the longest."""

AT_ONCE = 500


class Outbox(Transactions):
    """The objects that archives are to receive, and what became of them."""

    def installation_id(self) -> str:
        """Return what names this worklist in its results: the same for all servers, for ever."""
        return shared_secret(self._database, INSTALLATION, ID_BYTES).hex()

    def has_installation_id(self) -> bool:
        """Return whether this worklist has been named."""
        statement = select(SecretRow.name).where(SecretRow.name == INSTALLATION)
        with self._database.reading() as session:
            return session.scalar(statement) is not None

    def now(self) -> datetime:
        """Return the time by the clock that films are scored by."""
        return self._clock()

    def open(self, destination: Destination) -> datetime:
        """Return since when results are sent to an archive: the first time that it is named."""
        insert = self._database.insert(ArchiveRow)
        values = {"name": destination.name, "since": self._clock()}
        with self._database.writing() as session:
            session.execute(insert.values(values).on_conflict_do_nothing())
            return session.scalars(
                select(ArchiveRow.since).where(ArchiveRow.name == destination.name)
            ).one()

    def fill(
        self, destination: Destination, changed_since: datetime, *, after_reading: bool = False
    ) -> int:
        """Add the objects of results that an archive has not been sent; return how many.

        Parameters
        ----------
        changed_since
            Films that were neither scored nor read since then are not looked at.
        after_reading
            Whether a film's results wait until a person has read it.
        """
        with self._database.reading() as session:
            since = select(ArchiveRow.since).where(ArchiveRow.name == destination.name)
            begun = session.scalar(since)
            if begun is None:
                return 0
            moment = max(begun, changed_since)
            readings: list[dict[str, Any]] = []
            if ResultKind.READING in destination.kinds:
                readings = unsent_readings(session, destination, moment, AT_ONCE)
            films = [_films(destination, begun, SCORED_AT_INDEX, EntryRow.scored_at >= moment)]
            if after_reading:
                films = [films[0].where(EntryRow.is_read)]
                films += [_films(destination, begun, READ_AT_INDEX, EntryRow.read_at >= moment)]
            found = {row for each in films for row in session.execute(each.limit(AT_ONCE))}
        now = self._clock()
        oldest_first = sorted(found, key=lambda film: (film.scored_at, film.number))
        results = [
            _result(film, kind)
            for film in oldest_first
            for kind in destination.kinds
            if kind is not ResultKind.READING
        ]
        rows = [each | _new(destination, now) for each in (*results, *readings)]
        if rows:
            insert = self._database.insert(OutgoingRow.__table__).on_conflict_do_nothing()
            with self._database.writing() as session:
                session.execute(insert, rows)
        return len(rows)

    def claim(self, destination: str, *, after_reading: bool = False) -> list[Outgoing]:
        """Claim the objects of the film that is due longest; none if nothing is due.

        Parameters
        ----------
        after_reading
            Whether the results of a film that is unread, or unread again, wait.
        """
        now = self._clock()
        due = may_be_sent(destination, now, after_reading=after_reading)
        first = select(OutgoingRow).where(*due).order_by(OutgoingRow.due_at, OutgoingRow.number)
        first = first.limit(1)
        with self._database.reading() as session:
            if session.scalar(first) is None:
                return []
        with self._database.writing() as session:
            row = session.scalar(first.with_for_update(skip_locked=True))
            if row is None:
                return []
            same = (
                OutgoingRow.entry_number == row.entry_number,
                OutgoingRow.scored_at == row.scored_at,
            )
            beside = select(OutgoingRow).where(*due, *same).order_by(OutgoingRow.number)
            rows = session.scalars(beside.with_for_update(skip_locked=True)).all()
            token = new_claim()
            for each in rows:
                each.claim, each.claimed_until = token, now + LEASE
                if not each.tries:
                    each.predecessor_scored_at = replaced_moment(session, each)
            return _as_values(session, rows)

    def release_abandoned(self, destination: str) -> int:
        """End the claims of processes of this computer that have ended; return how many objects."""
        held = select(OutgoingRow.claim).distinct()
        held = held.where(OutgoingRow.destination == destination)
        held = held.where(OutgoingRow.state == OutgoingState.WAITING)
        held = held.where(OutgoingRow.claimed_until >= self._clock())
        with self._database.reading() as session:
            claims = [each for each in session.scalars(held) if each and is_abandoned(each)]
        if not claims:
            return 0
        statement = update(OutgoingRow).where(OutgoingRow.claim.in_(claims))
        statement = statement.values(claim=None, claimed_until=None).returning(OutgoingRow.number)
        with self._database.writing() as session:
            return len(session.scalars(statement).all())

    def sent(self, outgoing: Outgoing, remark: str = "") -> None:
        """Record that an archive has acknowledged an object."""
        now = self._clock()
        self._end(outgoing, state=OutgoingState.SENT, sent_at=now, problem=remark)

    def skip(self, outgoing: Outgoing, reason: str) -> None:
        """Record that there is nothing to send."""
        self._end(outgoing, state=OutgoingState.SKIPPED, problem=reason)

    def fail(self, outgoing: Outgoing, problem: str, give_up_after: timedelta) -> None:
        """Record that an object was refused; it is tried again after a pause, or given up.

        Parameters
        ----------
        give_up_after
            Longest time of refusals. It is the sum of the pauses between them: a time in which the
            archive was not asked, because the server was off or sending was held, does not count.
        """
        refused_for = sum(map(_pause, range(outgoing.tries)), timedelta())
        is_over = refused_for >= give_up_after
        self._end(
            outgoing,
            state=OutgoingState.GIVEN_UP if is_over else OutgoingState.WAITING,
            tries=outgoing.tries + 1,
            due_at=self._clock() + _pause(outgoing.tries),
            problem=problem,
        )

    def postpone(self, outgoing: Outgoing, problem: str) -> None:
        """Record that the archive could not be asked; it is tried again as soon as it can."""
        self._end(outgoing, problem=problem)

    def give_up(self, destination: str, waited: timedelta, *, after_reading: bool) -> int:
        """Give up what might be sent and has waited for so long; return how many objects.

        Parameters
        ----------
        after_reading
            As in `claim`.
        """
        now = self._clock()
        statement = (
            update(OutgoingRow)
            .where(*may_be_sent(destination, now, after_reading=after_reading))
            .where(OutgoingRow.requested_at <= now - waited)
            .values(state=OutgoingState.GIVEN_UP)
            .returning(OutgoingRow.number)
        )
        with self._database.writing() as session:
            return len(session.scalars(statement).all())

    def retry(self, numbers: Iterable[int]) -> int:
        """Send objects again that were given up, or now those that wait; return how many."""
        now = self._clock()
        statement = (
            update(OutgoingRow)
            .where(OutgoingRow.number.in_(list(numbers)), unclaimed(now))
            .where(OutgoingRow.state.in_((OutgoingState.GIVEN_UP, OutgoingState.WAITING)))
            .values(state=OutgoingState.WAITING, tries=0, requested_at=now, due_at=now)
            .returning(OutgoingRow.number)
        )
        with self._database.writing() as session:
            return len(session.scalars(statement).all())

    def resume(self, destination: str) -> None:
        """Allow sending to an archive that is held: what waits is sent."""
        self._note(destination, held_at=None)

    def resume_anew(self, destination: str) -> int:
        """Allow sending to an archive that is held, from now on; return how many are given up."""
        waiting = (
            update(OutgoingRow)
            .where(OutgoingRow.destination == destination)
            .where(OutgoingRow.state == OutgoingState.WAITING)
            .values(state=OutgoingState.GIVEN_UP, problem=NOT_AGAIN)
            .returning(OutgoingRow.number)
        )
        archive = update(ArchiveRow).where(ArchiveRow.name == destination)
        with self._database.writing() as session:
            given_up = len(session.scalars(waiting).all())
            session.execute(archive.values(held_at=None, since=self._clock()))
        return given_up

    def reached(self, destination: str) -> None:
        """Record that an archive answers."""
        self._note(destination, reached_at=self._clock(), problem=None)

    def unreachable(self, destination: str, problem: str) -> None:
        """Record why an archive cannot be reached."""
        self._note(destination, problem=problem)

    def newest(
        self, state: OutgoingState | None = None, destination: str = "", limit: int = 100
    ) -> list[Outgoing]:
        """Return objects, the newest first.

        Parameters
        ----------
        state, destination
            Only those in this state, and for this archive; None and empty for all.
        """
        statement = select(OutgoingRow).order_by(OutgoingRow.number.desc()).limit(limit)
        if state is not None:
            statement = statement.where(OutgoingRow.state == state)
        if destination:
            statement = statement.where(OutgoingRow.destination == destination)
        with self._database.reading() as session:
            return _as_values(session, session.scalars(statement).all())

    def of_film(self, entry_id: str) -> list[Outgoing]:
        """Return the objects of one film, the newest first."""
        statement = select(OutgoingRow).join(EntryRow, EntryRow.number == OutgoingRow.entry_number)
        statement = statement.where(EntryRow.id == entry_id).order_by(OutgoingRow.number.desc())
        with self._database.reading() as session:
            return _as_values(session, session.scalars(statement).all())

    def archives(self) -> list[ArchiveState]:
        """Return every archive that results were ever sent to, by name."""
        place = OutgoingRow.destination, OutgoingRow.state
        counted = select(*place, func.count()).group_by(*place)
        unwanted = select(OutgoingRow.destination, func.count())
        unwanted = unwanted.where(OutgoingRow.state == OutgoingState.GIVEN_UP)
        unwanted = unwanted.where(OutgoingRow.problem.in_(WITHDRAWN))
        unwanted = unwanted.group_by(OutgoingRow.destination)
        counts: dict[str, dict[OutgoingState, int]] = {}
        with self._database.reading() as session:
            for name, state, number in session.execute(counted):
                counts.setdefault(name, {})[state] = number
            withdrawn: dict[str, int] = dict(iter(session.execute(unwanted)))
            return [
                ArchiveState(
                    row.name,
                    row.since,
                    row.reached_at,
                    row.problem or "",
                    counts.get(row.name, {}),
                    withdrawn.get(row.name, 0),
                    row.held_at,
                )
                for row in session.scalars(select(ArchiveRow).order_by(ArchiveRow.name))
            ]

    def _end(self, outgoing: Outgoing, **values: Any) -> None:
        """Change a claimed object and give the claim up, unless another has taken it over."""
        statement = update(OutgoingRow).where(
            OutgoingRow.number == outgoing.number, OutgoingRow.claim == outgoing.claim
        )
        with self._database.writing() as session:
            session.execute(statement.values(claim=None, claimed_until=None, **values))

    def _note(self, destination: str, **values: Any) -> None:
        statement = update(ArchiveRow).where(ArchiveRow.name == destination)
        with self._database.writing() as session:
            session.execute(statement.values(**values))


def _films(
    destination: Destination, since: datetime, index: str, changed: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """Select the films with a result that an archive has not been sent.

    Parameters
    ----------
    since
        When the archive was named; older results are not sent.
    index, changed
        Which films are looked at, and the index that finds them.
    """
    known = exists().where(
        OutgoingRow.entry_number == EntryRow.number,
        OutgoingRow.destination == destination.name,
        OutgoingRow.scored_at == EntryRow.scored_at,
        OutgoingRow.kind != ResultKind.READING,
    )
    return (
        select(EntryRow.number, EntryRow.scored_at, EntryRow.model_version)
        .with_hint(EntryRow, f"INDEXED BY {index}", dialect_name="sqlite")
        .where(changed, EntryRow.scored_at >= since, EntryRow.state == ScoringState.SCORED, ~known)
        .where(*(uid.is_not(None) for uid in NEEDED), EntryRow.film_deleted_at.is_(None))
        .order_by(EntryRow.scored_at, EntryRow.number)
    )


def _result(film: Any, kind: ResultKind) -> dict[str, Any]:
    """Return what an object of a film's result shows, as column values."""
    return {
        "entry_number": film.number,
        "kind": kind,
        "scored_at": film.scored_at,
        "model_version": film.model_version,
    }


def _new(destination: Destination, now: datetime) -> dict[str, Any]:
    """Return the column values of an object that was not sent yet."""
    return {
        "destination": destination.name,
        "state": OutgoingState.WAITING,
        "tries": 0,
        "requested_at": now,
        "due_at": now,
    }


def _pause(tries: int) -> timedelta:
    """Return how long an object waits after a refusal, by how often it was refused before."""
    return min(FIRST_PAUSE * (1 << min(tries, 16)), LONGEST_PAUSE)


def _as_values(session: Session, rows: Sequence[OutgoingRow]) -> list[Outgoing]:
    numbers = {row.entry_number for row in rows}
    found = session.execute(
        select(EntryRow.number, EntryRow.id).where(EntryRow.number.in_(numbers))
    )
    ids = {row.number: row.id for row in found}
    return [
        Outgoing(
            number=row.number,
            entry_id=ids[row.entry_number],
            destination=row.destination,
            kind=row.kind,
            state=row.state,
            model_version=row.model_version,
            scored_at=row.scored_at,
            predecessor_scored_at=row.predecessor_scored_at,
            tries=row.tries,
            requested_at=row.requested_at,
            due_at=row.due_at,
            sent_at=row.sent_at,
            problem=row.problem or "",
            claim=row.claim or "",
        )
        for row in rows
    ]
