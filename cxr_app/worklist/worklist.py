"""What can be done with the list of films. Each method is one transaction: done, or not begun."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from sqlalchemy import func, literal, select, union_all, update
from sqlalchemy.orm import Session

from cxr_app.errors import EntryNotFoundError
from cxr_app.outcome import Outcome
from cxr_app.worklist.arrivals import end_arrivals_in_the_future, insert_film, new_entry
from cxr_app.worklist.attestations import Attestations
from cxr_app.worklist.attested_scores import AttestedScoreRow
from cxr_app.worklist.claims import ClaimLog, claims_of
from cxr_app.worklist.column_types import AnyText, Moment
from cxr_app.worklist.counters import all_counts, count_unscored
from cxr_app.worklist.counting import count, oldest_unread, unscored
from cxr_app.worklist.database import LOCK_TIMEOUT_SECONDS, Database
from cxr_app.worklist.deletions import Deletions
from cxr_app.worklist.destination_list import DestinationList
from cxr_app.worklist.dismissals import Dismissals
from cxr_app.worklist.drift_query import DriftQuery
from cxr_app.worklist.earlier_films import earlier_films
from cxr_app.worklist.entering import enter_films
from cxr_app.worklist.entry import Counts, Entry, Query, Score
from cxr_app.worklist.film_requests import FilmRequests
from cxr_app.worklist.further_files import by_any_file, has_file, sharing_uids
from cxr_app.worklist.instances import Instances
from cxr_app.worklist.job_queue import JobQueue
from cxr_app.worklist.locking import locked_entry, take_turns
from cxr_app.worklist.mapping import ENTRY_BY_ID, add_outcome, as_entry, as_score, evidence_of
from cxr_app.worklist.newer_films import newer_films
from cxr_app.worklist.order import neighbours, numbers
from cxr_app.worklist.outbox import Outbox
from cxr_app.worklist.peers import PeerLog
from cxr_app.worklist.prefetch_queue import PrefetchQueue
from cxr_app.worklist.promotions import PromotionLog
from cxr_app.worklist.proposals import ProposalLog
from cxr_app.worklist.reading_room import ReadingRoom
from cxr_app.worklist.reviews import ReviewLog
from cxr_app.worklist.studies import Studies
from cxr_app.worklist.tables import EntryRow, ScoreRow
from cxr_app.worklist.unmasking import UnmaskingLog

IDS_AT_ONCE = 500


def now_in_utc() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Worklist:
    """The films that were received, and their results. Safe for many threads and processes.

    `Transactions` has the parameters.

    Attributes
    ----------
    outbox
        Results on their way to archives.
    attestations
        Films scored on a reader's word.
    claims
        Which reader has which film open.
    deletions
        Films whose retention time has ended.
    destinations
        Archives that a person has entered.
    dismissals
        Files that are plainly no chest films, marked as read at once.
    drift
        What films have arrived, from where, and what became of them.
    film_requests
        Films that an archive was asked to send.
    instances
        DICOM films by their SOP Instance UID and content.
    jobs
        Long-running jobs.
    peers
        Who has sent films, and what became of them.
    prefetches
        Flagged films whose patients' earlier films are fetched.
    promotions
        Which model was put to use when.
    proposals
        Models that wait for a second person to promote them.
    reviews
        The readers' judgements of films.
    room
        What readers hand to each other, and their views of the list.
    studies
        Films by the study that they belong to.
    unmasking
        Who had masked names and ids shown.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now_in_utc) -> None:
        self._database, self._clock = database, clock
        self.attestations = Attestations(database, clock)
        self.claims = ClaimLog(database, clock)
        self.deletions = Deletions(database, clock)
        self.destinations = DestinationList(database, clock)
        self.dismissals = Dismissals(database, clock)
        self.drift = DriftQuery(database, clock)
        self.film_requests = FilmRequests(database, clock)
        self.instances = Instances(database, clock)
        self.jobs = JobQueue(database, clock)
        self.outbox = Outbox(database, clock)
        self.peers = PeerLog(database, clock)
        self.prefetches = PrefetchQueue(database, clock)
        self.promotions = PromotionLog(database, clock)
        self.proposals = ProposalLog(database, clock)
        self.reviews = ReviewLog(database, clock)
        self.room = ReadingRoom(database, clock)
        self.studies = Studies(database, clock)
        self.unmasking = UnmaskingLog(database, clock)

    @classmethod
    def open(
        cls,
        url: str,
        clock: Callable[[], datetime] = now_in_utc,
        *,
        lock_timeout: int = LOCK_TIMEOUT_SECONDS,
    ) -> Self:
        """Open the worklist; an empty or older database is brought up to date first.

        Parameters
        ----------
        url, lock_timeout
            As `Database` has them.

        Raises
        ------
        SettingsError
            If the URL names no database that this program can use.
        WorklistError
            If the database cannot be opened or brought up to date.
        """
        return cls(Database(url, lock_timeout), clock)

    def close(self) -> None:
        """Close all connections to the database."""
        self._database.close()

    def receive(
        self, sha256: str, source: str, path: Path, received_at: datetime | None = None
    ) -> tuple[str, bool]:
        """Add a film; when this returns, it is on the disk.

        The same film received again has the same entry, with its first source and time and its new
        path. If the film had been deleted since, it comes back: unread, and to be scored.

        Returns
        -------
        tuple of str and bool
            The entry's id, and whether it is new or has come back.
        """
        known = self._known(sha256, path)
        if known is not None:
            return known, False
        values = new_entry(sha256, source, path, self._moment(received_at))
        with self._database.writing() as session:
            if received_at is None:
                end_arrivals_in_the_future(session, self._clock())
            return insert_film(session, self._database.insert, values)

    def record(self, outcome: Outcome, scored_at: datetime | None = None) -> str:
        """Add an outcome to a film's history; the entry shows the newest.

        The same model's outcome, or a refusal repeated for the same reason, is not added twice.
        If a model scores a film again after another one, its outcome becomes the newest.

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
            entry = locked_entry(session, has_file([outcome.sha256]))
            if entry is None:
                raise EntryNotFoundError(
                    f"No film {outcome.sha256[:8]} is in the worklist. Receive it before scoring."
                )
            add_outcome(session, entry, outcome, moment)
            return entry.id

    def enter(self, films: Iterable[tuple[Outcome, str, Path]]) -> set[str]:
        """Add films together with their outcomes: all of them, or none.

        Equals `receive` and then `record` for each, in a fraction of the time.

        Parameters
        ----------
        films
            The outcome, the source and the path of each film.

        Returns
        -------
        set of str
            SHA-256 of the films that were left out, because another film has their SOP Instance
            UID: they must be compared with it.
        """
        by_sha256 = {outcome.sha256: (outcome, source, path) for outcome, source, path in films}
        if not by_sha256:
            return set()
        with self._database.writing() as session:
            uids = {
                sha256: outcome.header.sop_instance_uid
                for sha256, (outcome, _, _) in by_sha256.items()
                if outcome.header is not None and outcome.header.sop_instance_uid
            }
            take_turns(session, uids.values())
            shared = sharing_uids(session, uids)
            new = {key: by_sha256[key] for key in by_sha256.keys() - shared}
            enter_films(session, self._database.insert, new, self._clock())
        return shared

    def mark_read(self, entry_id: str, reader: str = "", *, read: bool = True) -> None:
        """Record that a reader has read the film, or that it counts as unread again.

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
        """Return the SHA-256 of every film that this model has scored."""
        selects = [
            each.join(ScoreRow, EntryRow.number == ScoreRow.entry_number).where(
                ScoreRow.model_version == model_version
            )
            for each in by_any_file()
        ]
        with self._database.reading() as session:
            return set(session.scalars(union_all(*selects)))

    def scored_at(self, sha256s: Iterable[str]) -> dict[str, datetime]:
        """Return by SHA-256 when films were scored or refused; films that were not are left out."""
        wanted = list(sha256s)
        found: dict[str, datetime] = {}
        with self._database.reading() as session:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = wanted[start : start + IDS_AT_ONCE]
                for each in by_any_file(EntryRow.scored_at):
                    rows = session.execute(each.where(each.selected_columns.sha256.in_(some)))
                    found.update((sha256, scored_at) for sha256, scored_at in rows if scored_at)
        return found

    def next_received(self, limit: int = 16) -> list[Entry]:
        """Return the films that wait for a score, longest waiting first."""
        with self._database.reading() as session:
            return [as_entry(row) for row in session.scalars(unscored().limit(limit))]

    def entry(self, entry_id: str, *, with_claim: bool = True) -> Entry:
        """Return one entry, with its activation map and, unless not wanted, with who reads it.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        with self._database.reading() as session:
            row = session.scalar(ENTRY_BY_ID, {"entry_id": entry_id})
            found = self._whole(session, row, claim=with_claim)
        if found is None:
            raise EntryNotFoundError.of(entry_id)
        return found

    def entry_by_sha256(self, sha256: str) -> Entry | None:
        """Return the entry of a film, with its activation map; None if it was never received."""
        with self._database.reading() as session:
            row = session.scalar(select(EntryRow).where(has_file([sha256])))
            return self._whole(session, row, claim=True)

    def entries_by_ids(self, ids: Iterable[str]) -> list[Entry]:
        """Return entries in the order of `ids`, without activation maps; skip unknown ids."""
        wanted = list(ids)
        found: dict[str, Entry] = {}
        with self._database.reading() as session:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = wanted[start : start + IDS_AT_ONCE]
                rows = session.scalars(select(EntryRow).where(EntryRow.id.in_(some)))
                found.update((row.id, as_entry(row)) for row in rows)
        return [found[each] for each in wanted if each in found]

    def earlier_films(self, entry: Entry, limit: int = 10) -> list[Entry]:
        """Return other films of the same patient up to this one's date, newest first."""
        with self._database.reading() as session:
            return earlier_films(session, entry, limit)

    def newer_films(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        """Return the newest later film of the same patient, by the id of the older film's entry."""
        with self._database.reading() as session:
            return newer_films(session, entries)

    def page(self, query: Query, offset: int = 0, limit: int = 50) -> list[Entry]:
        """Return one page of the list, in the query's order, without activation maps."""
        with self._database.reading() as session:
            wanted = numbers(session, query, self._clock(), offset, limit)
            claims = claims_of(session, wanted, self._clock())
            rows = session.scalars(select(EntryRow).where(EntryRow.number.in_(wanted)))
            found = {row.number: as_entry(row, claims.get(row.number)) for row in rows}
        return [found[number] for number in wanted]

    def count(self, query: Query, at_most: int | None = None) -> int:
        """Count the films or studies of a list; for a search or by study at most `at_most`."""
        with self._database.reading() as session:
            return count(session, query, self._clock(), at_most)

    def neighbours(self, query: Query, entry_id: str) -> tuple[str | None, str | None]:
        """Return the ids of the entries before and after this one in the query's order.

        An entry that no longer matches the query (read a moment ago) still has the neighbours of
        the place where it was.

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
        """Count the films in each state, in the whole list."""
        with self._database.reading() as session:
            oldest, now = oldest_unread(session), self._clock()
            return Counts(
                unread=count(session, Query(), now),
                flagged_unread=count(session, Query(flag="flagged"), now),
                needs_a_person=count(session, Query(state="needs_a_person"), now),
                in_progress=count_unscored(session),
                read=count(session, Query(state="read"), now),
                longest_wait=None if oldest is None else max(now - oldest, timedelta(0)),
            )

    def film_counts(self) -> list[tuple[bool, int, str, int]]:
        """Count the films by whether they are read, tier, and state (empty if not scored yet)."""
        with self._database.reading() as session:
            return all_counts(session)

    def scores(self, entry_id: str) -> list[Score]:
        """Return the film's history, newest first.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        with self._database.reading() as session:
            number = session.scalar(select(EntryRow.number).where(EntryRow.id == entry_id))
            if number is None:
                raise EntryNotFoundError.of(entry_id)
            scores = select(ScoreRow).where(ScoreRow.entry_number == number)
            attested = select(AttestedScoreRow).where(AttestedScoreRow.entry_number == number)
            found = [
                *map(as_score, session.scalars(attested.order_by(AttestedScoreRow.number.desc()))),
                *map(as_score, session.scalars(scores.order_by(ScoreRow.number.desc()))),
            ]
        return sorted(found, key=lambda score: score.scored_at, reverse=True)

    def _known(self, sha256: str, path: Path) -> str | None:
        """Return the id of an entry that needs no change: unread, so not deleted meanwhile."""
        statement = select(EntryRow.id).filter_by(sha256=sha256, path=path, is_read=False)
        with self._database.reading() as session:
            return session.scalar(statement)

    def _whole(self, session: Session, row: EntryRow | None, *, claim: bool) -> Entry | None:
        if row is None:
            return None
        claims = claims_of(session, [row.number], self._clock()) if claim else {}
        return as_entry(row, claims.get(row.number), evidence_of(session, row))

    def _moment(self, given: datetime | None) -> datetime:
        """Return the time given, or now; a time without a zone is refused."""
        if given is not None and given.tzinfo is None:
            raise ValueError("a time must be aware, got one without a time zone")
        return given or self._clock()
