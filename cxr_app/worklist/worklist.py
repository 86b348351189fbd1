"""What can be done with the list of films. Each verb is one transaction: done, or not begun."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import Select, func, literal, select, update
from sqlalchemy.orm import Session

from cxr_app.errors import EntryNotFoundError
from cxr_app.outcome import Outcome
from cxr_app.worklist.database import Database
from cxr_app.worklist.deletions import Deletions
from cxr_app.worklist.entry import Counts, Entry, Query, Score
from cxr_app.worklist.job_queue import JobQueue
from cxr_app.worklist.mapping import (
    as_entry,
    as_score,
    evidence_of,
    first_noted,
    note,
    receive_again,
    values_of,
)
from cxr_app.worklist.order import (
    count,
    count_unscored,
    neighbours,
    numbers,
    oldest_unread,
    unscored,
)
from cxr_app.worklist.promotions import PromotionLog
from cxr_app.worklist.readings import Readings, claims_of
from cxr_app.worklist.tables import (
    UNJUDGED_TIER,
    AnyText,
    EntryRow,
    Moment,
    ScoreRow,
    search_text,
)

IDS_AT_ONCE = 500


def now_in_utc() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Worklist:
    """The films that were received, and what became of them. Safe for many threads and processes.

    Parameters
    ----------
    database
        Open and up to date.
    clock
        Tells the time, aware.

    Attributes
    ----------
    deletions
        The films whose retention time has ended, in the same database.
    jobs
        The long work that was asked for, in the same database.
    models
        Which model is in use, in the same database.
    readings
        Who reads which film, and what was said of it, in the same database.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now_in_utc) -> None:
        self._database = database
        self._clock = clock
        self.deletions = Deletions(database, clock)
        self.jobs = JobQueue(database, clock)
        self.models = PromotionLog(database, clock)
        self.readings = Readings(database, clock)

    @classmethod
    def open(cls, url: str, clock: Callable[[], datetime] = now_in_utc) -> Self:
        """Open the worklist; an empty or older database is brought up to date first.

        Raises
        ------
        SettingsError
            If the URL names no database that this program can use.
        WorklistError
            If the database cannot be opened or brought up to date.
        """
        return cls(Database(url), clock)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def receive(
        self, sha256: str, source: str, path: Path, received_at: datetime | None = None
    ) -> tuple[str, bool]:
        """Take a film in; when this returns, it is acknowledged and stays.

        The same film received again is the same entry, which keeps its first source and time, and
        from now on the film is where it lies now. Where it had been deleted since, it comes back:
        unread, and to be scored.

        Returns
        -------
        tuple of str and bool
            The entry's id, and whether it is new or has come back.
        """
        known = self._known(sha256, path)
        if known is not None:
            return known, False
        values = _arrival(sha256, source, path, self._moment(received_at))
        statement = self._database.insert(EntryRow).values(values)
        statement = statement.on_conflict_do_nothing(index_elements=["sha256"])
        with self._database.writing() as session:
            created = session.scalar(statement.returning(EntryRow.id))
            if created is not None:
                return created, True
            # Locked, so that a deletion has either happened or will find the film unread.
            same = select(EntryRow).where(EntryRow.sha256 == sha256).with_for_update()
            entry = session.scalars(same).one()
            is_back = entry.film_deleted_at is not None
            entry.path = path
            if is_back:
                receive_again(entry, source, path, self._moment(received_at))
            return entry.id, is_back

    def record(self, outcome: Outcome, scored_at: datetime | None = None) -> str:
        """Add what scoring said to a film's history; the newest is what its entry shows.

        Said again by the same model (or refused again for the same reason as it stands), it is not
        written twice. A model that speaks again after another becomes the newest.

        Returns
        -------
        str
            The entry's id.

        Raises
        ------
        EntryNotFoundError
            If no film with this SHA-256 was received.
        """
        moment = self._moment(scored_at)
        with self._database.writing() as session:
            statement = select(EntryRow).where(EntryRow.sha256 == outcome.sha256).with_for_update()
            entry = session.scalar(statement)
            if entry is None:
                raise EntryNotFoundError(
                    f"No film {outcome.sha256[:8]} is in the worklist. Receive it before scoring."
                )
            note(session, entry, outcome, moment)
            return entry.id

    def enter(self, films: Iterable[tuple[Outcome, str, Path]]) -> None:
        """Take films in together with what scoring said of them: all of them, or none.

        Each is as `receive` and then `record` would make it, at a fraction of the time.

        Parameters
        ----------
        films
            What scoring said, the source, and where the film lies.
        """
        by_sha256 = {outcome.sha256: (outcome, source, path) for outcome, source, path in films}
        if not by_sha256:
            return
        moment = self._clock()
        # In one order for all who enter films: two that cross would wait for each other for ever.
        new = {
            sha256: first_noted(_arrival(sha256, source, path, moment), outcome, moment)
            for sha256, (outcome, source, path) in sorted(by_sha256.items())
        }
        insert = self._database.insert(EntryRow.__table__)
        insert = insert.on_conflict_do_nothing(index_elements=["sha256"])
        with self._database.writing() as session:
            session.execute(insert, [values_of(entry) for entry, _ in new.values()])
            known = _give_numbers(session, new)
            scores = [values_of(score) for sha256, (_, score) in new.items() if sha256 not in known]
            if scores:
                session.execute(self._database.insert(ScoreRow.__table__), scores)
            for entry in _locked(session, known):
                note(session, entry, by_sha256[entry.sha256][0], moment)

    def mark_read(self, entry_id: str, reader: str = "", *, read: bool = True) -> None:
        """Say that a reader has read the film, or that it has not been read after all.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        read_at = func.coalesce(EntryRow.read_at, literal(self._clock(), Moment)) if read else None
        read_by = func.coalesce(EntryRow.read_by, literal(reader or None, AnyText))
        values = {"is_read": read, "read_at": read_at, "read_by": read_by if read else None}
        statement = update(EntryRow).where(EntryRow.id == entry_id).values(values)
        with self._database.writing() as session:
            found = session.scalar(statement.returning(EntryRow.number))
        if found is None:
            raise EntryNotFoundError.of(entry_id)

    def scored_by(self, model_version: str) -> set[str]:
        """Give the SHA-256 of every film that this model has given a probability."""
        statement = (
            select(EntryRow.sha256)
            .join(ScoreRow, EntryRow.number == ScoreRow.entry_number)
            .where(ScoreRow.model_version == model_version)
        )
        with self._database.reading() as session:
            return set(session.scalars(statement))

    def judged(self, sha256s: Iterable[str]) -> dict[str, datetime]:
        """Say when those of some films were scored or refused that are in the list and were."""
        wanted = list(sha256s)
        found: dict[str, datetime] = {}
        with self._database.reading() as session:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = EntryRow.sha256.in_(wanted[start : start + IDS_AT_ONCE])
                asked = select(EntryRow.sha256, EntryRow.scored_at).where(some)
                judged = session.execute(asked.where(EntryRow.scored_at.is_not(None)))
                found.update((sha256, scored_at) for sha256, scored_at in judged if scored_at)
        return found

    def next_received(self, limit: int = 16) -> list[Entry]:
        """Give the films that wait for a score, longest waiting first."""
        with self._database.reading() as session:
            return [as_entry(row) for row in session.scalars(unscored().limit(limit))]

    def entry(self, entry_id: str) -> Entry:
        """Give one entry, with its activation map.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        with self._database.reading() as session:
            found = self._whole(session, select(EntryRow).where(EntryRow.id == entry_id))
        if found is None:
            raise EntryNotFoundError.of(entry_id)
        return found

    def entry_by_sha256(self, sha256: str) -> Entry | None:
        """Give the entry of a film, with its activation map, or None if it was never received."""
        with self._database.reading() as session:
            return self._whole(session, select(EntryRow).where(EntryRow.sha256 == sha256))

    def entries_by_ids(self, ids: Iterable[str]) -> list[Entry]:
        """Give entries in the order asked for, without activation maps; unknown ids are skipped."""
        wanted = list(ids)
        found: dict[str, Entry] = {}
        with self._database.reading() as session:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = wanted[start : start + IDS_AT_ONCE]
                rows = session.scalars(select(EntryRow).where(EntryRow.id.in_(some)))
                found.update((row.id, as_entry(row)) for row in rows)
        return [found[each] for each in wanted if each in found]

    def page(self, query: Query, offset: int = 0, limit: int = 50) -> list[Entry]:
        """Give one page of the list, in the query's order, without activation maps."""
        with self._database.reading() as session:
            wanted = numbers(session, query, self._clock(), offset, limit)
            claims = claims_of(session, wanted, self._clock())
            rows = session.scalars(select(EntryRow).where(EntryRow.number.in_(wanted)))
            found = {row.number: as_entry(row, claims.get(row.number)) for row in rows}
        return [found[number] for number in wanted]

    def count(self, query: Query, at_most: int | None = None) -> int:
        """Say how many films the query is about; of a search no more than are asked for."""
        with self._database.reading() as session:
            return count(session, query, at_most)

    def neighbours(self, query: Query, entry_id: str) -> tuple[str | None, str | None]:
        """Give the ids of the entries before and after this one in the query's order.

        An entry that no longer matches the query (read a moment ago) still has neighbours: those
        beside the place where it stood.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        with self._database.reading() as session:
            found = neighbours(session, query, self._clock(), entry_id)
        if found is None:
            raise EntryNotFoundError.of(entry_id)
        return found

    def counts(self) -> Counts:
        """Count what is unread, flagged, read, ... in the whole list."""
        with self._database.reading() as session:
            oldest = oldest_unread(session)
            return Counts(
                unread=count(session, Query()),
                flagged_unread=count(session, Query(flag="flagged")),
                needs_a_person=count(session, Query(state="needs_a_person")),
                in_progress=count_unscored(session),
                read=count(session, Query(state="read")),
                longest_wait=None if oldest is None else self._waited(oldest),
            )

    def scores(self, entry_id: str) -> list[Score]:
        """Give the film's history, newest first.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        with self._database.reading() as session:
            number = session.scalar(select(EntryRow.number).where(EntryRow.id == entry_id))
            if number is None:
                raise EntryNotFoundError.of(entry_id)
            statement = select(ScoreRow).where(ScoreRow.entry_number == number)
            newest_first = statement.order_by(ScoreRow.scored_at.desc(), ScoreRow.number.desc())
            return [as_score(row) for row in session.scalars(newest_first)]

    def _known(self, sha256: str, path: Path) -> str | None:
        """Find an entry that stays as it is: an unread film is not deleted in between."""
        statement = select(EntryRow.id).where(EntryRow.sha256 == sha256, EntryRow.path == path)
        statement = statement.where(~EntryRow.is_read)
        with self._database.reading() as session:
            return session.scalar(statement)

    def _whole(self, session: Session, statement: Select[EntryRow]) -> Entry | None:
        row = session.scalar(statement)
        if row is None:
            return None
        claim = claims_of(session, [row.number], self._clock()).get(row.number)
        return as_entry(row, claim, evidence_of(session, row))

    def _moment(self, given: datetime | None) -> datetime:
        """Take the time given, or now; one without a zone would be a guess."""
        if given is not None and given.tzinfo is None:
            raise ValueError("a time must be aware, got one without a time zone")
        return given or self._clock()

    def _waited(self, since: datetime) -> timedelta:
        return max(self._clock() - since, timedelta(0))


def _arrival(sha256: str, source: str, path: Path, received_at: datetime) -> dict[str, Any]:
    """Make the values of a new entry."""
    entry_id = uuid4().hex
    return {
        "id": entry_id,
        "sha256": sha256,
        "source": source,
        "path": path,
        "received_at": received_at,
        "search_text": search_text(entry_id, source),
        "is_read": False,
        "has_header": False,
        "tier": UNJUDGED_TIER,
        "descending_probability": 0.0,
    }


def _give_numbers(session: Session, new: Mapping[str, tuple[EntryRow, ScoreRow]]) -> set[str]:
    """Tell scores the numbers that their entries have got; give the films that were there before.

    Parameters
    ----------
    new
        By SHA-256, what was to be inserted.
    """
    known = set()
    found = select(EntryRow.sha256, EntryRow.id, EntryRow.number).where(EntryRow.sha256.in_(new))
    for sha256, entry_id, number in session.execute(found):
        entry, score = new[sha256]
        if entry.id == entry_id:
            score.entry_number = number
        else:
            known.add(sha256)
    return known


def _locked(session: Session, sha256s: Set[str]) -> Sequence[EntryRow]:
    """Give the entries of some films, to be changed."""
    if not sha256s:
        return []
    statement = select(EntryRow).where(EntryRow.sha256.in_(sha256s)).order_by(EntryRow.sha256)
    return session.scalars(statement.with_for_update()).all()
