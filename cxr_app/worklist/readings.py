"""Who reads which film, and what was said of it, beside the films. Each verb is one transaction."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import BigInteger, Select, delete, func, select, type_coerce
from sqlalchemy.orm import Session

from cxr_app.errors import EntryNotFoundError
from cxr_app.worklist.database import Database
from cxr_app.worklist.entry import Entry
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.review import (
    Agreement,
    Cause,
    Claim,
    ReadingDay,
    Review,
    ReviewedFilm,
    Verdict,
)
from cxr_app.worklist.tables import (
    READ_AT_INDEX,
    ClaimRow,
    EntryRow,
    EventRow,
    ReviewRow,
    SecretRow,
)

CLAIM = timedelta(minutes=3)
"""A claim that is not said again for so long has ended: the browser was closed, or lost."""
FRESH = timedelta(minutes=2, seconds=30)
"""What a claim still has to run so that it is not written anew."""

DAY_MICROSECONDS = 24 * 60 * 60 * 1_000_000
DAYS_BEFORE_MONDAY = 3
"""The epoch was a Thursday: so many days after a Monday."""
DAYS_A_WEEK = 7
EPOCH_MONDAY = date(1969, 12, 29)

TAKEN_OVER = "TAKEN_OVER"
UNMASKED = "UNMASKED"
"""Kinds of events."""

MASKING = "masking"
SECRET_BYTES = 32


class Readings:
    """What readers do with films.

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

    def claim(self, entry_id: str, reader: str, *, take_over: bool = False) -> Claim:
        """Say that a reader has a film open, unless another has it.

        Parameters
        ----------
        take_over
            Take the film from whoever has it; that is recorded.

        Returns
        -------
        Claim
            The one that stands now: the reader's own, or another's.

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
            entry = _locked(session, entry_id)
            row = session.get(ClaimRow, entry.number)
            stands = row is not None and row.until > now
            if row is not None and stands and row.reader != reader:
                if not take_over:
                    return _as_claim(row)
                session.add(event(TAKEN_OVER, reader, now, entry.number, detail=row.reader))
                stands = False
            if row is None:
                row = ClaimRow(entry_number=entry.number)
                session.add(row)
            if not stands:
                row.since = now
            row.reader, row.until = reader, now + CLAIM
            return _as_claim(row)

    def _fresh_claim(self, entry_id: str, reader: str, now: datetime) -> Claim | None:
        """Find a reader's claim that need not be said again: a page asks each time it is drawn."""
        statement = (
            select(ClaimRow)
            .join(EntryRow, EntryRow.number == ClaimRow.entry_number)
            .where(EntryRow.id == entry_id, ClaimRow.reader == reader)
            .where(ClaimRow.until > now + FRESH)
        )
        with self._database.reading() as session:
            row = session.scalar(statement)
            return None if row is None else _as_claim(row)

    def release(self, entry_id: str, reader: str) -> None:
        """Say that a reader no longer has a film open; another's claim stays."""
        number = select(EntryRow.number).where(EntryRow.id == entry_id).scalar_subquery()
        mine = delete(ClaimRow).where(ClaimRow.entry_number == number, ClaimRow.reader == reader)
        with self._database.writing() as session:
            session.execute(mine)

    def review(
        self,
        entry_id: str,
        reader: str,
        verdict: Verdict | None = None,
        *,
        cause: Cause | None = None,
        comment: str = "",
        heat_seen: bool = False,
    ) -> Review:
        """Add what a reader says of a film; with a verdict the film counts as read.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        ValueError
            If nothing is said, or a flag is judged that there is not.
        """
        if verdict is None and not comment:
            raise ValueError("a review needs a verdict or a comment, got neither")
        now = self._clock()
        with self._database.writing() as session:
            entry = _locked(session, entry_id)
            if entry.flagged is None and verdict in (Verdict.AGREE, Verdict.DISAGREE):
                raise ValueError(f"no model has flagged entry {entry.id[:8]} or not: {verdict}")
            row = ReviewRow(
                entry_number=entry.number,
                reader=reader,
                reviewed_at=now,
                verdict=verdict,
                cause=cause,
                comment=comment or None,
                heat_seen=heat_seen,
                model_version=entry.model_version,
                flagged=entry.flagged,
                pneumonia_probability=entry.pneumonia_probability,
                threshold=entry.threshold,
            )
            session.add(row)
            if verdict is not None:
                entry.is_read = True
                entry.read_at = entry.read_at or now
                entry.read_by = entry.read_by or reader
            return _as_review(row)

    def reviews(self, entry_id: str) -> list[Review]:
        """Give what was said of a film, newest first."""
        statement = (
            select(ReviewRow)
            .join(EntryRow, EntryRow.number == ReviewRow.entry_number)
            .where(EntryRow.id == entry_id)
            .order_by(ReviewRow.number.desc())
        )
        with self._database.reading() as session:
            return [_as_review(row) for row in session.scalars(statement)]

    def reviewed_films(self) -> Iterator[ReviewedFilm]:
        """Give every film that is kept and a reader has judged, as its last verdict says."""
        statement = (
            select(EntryRow, ReviewRow)
            .join(ReviewRow, ReviewRow.entry_number == EntryRow.number)
            .where(ReviewRow.number.in_(_last_verdicts()), EntryRow.film_deleted_at.is_(None))
            .order_by(EntryRow.number)
        )
        with self._database.reading() as session:
            for entry, row in session.execute(statement):
                review = _as_review(row)
                if review.pneumonia is not None:
                    cause = review.cause if review.pneumonia else None
                    yield ReviewedFilm(
                        entry.sha256, entry.path, entry.patient_id or "", review.pneumonia, cause
                    )

    def agreement(self, model_version: str) -> list[Agreement]:
        """Count how a model's flags and the readers' last verdicts went together, week by week."""
        days = type_coerce(ReviewRow.reviewed_at, BigInteger) // DAY_MICROSECONDS
        week = ((days + DAYS_BEFORE_MONDAY) // DAYS_A_WEEK).label("week")
        statement = (
            select(week, ReviewRow.flagged, ReviewRow.verdict, func.count())
            .where(ReviewRow.model_version == model_version)
            .where(ReviewRow.number.in_(_last_verdicts()))
            .group_by(week, ReviewRow.flagged, ReviewRow.verdict)
        )
        weeks: dict[date, dict[str, int]] = {}
        with self._database.reading() as session:
            for number, flagged, verdict, films in session.execute(statement):
                monday = EPOCH_MONDAY + timedelta(weeks=int(number))
                weeks.setdefault(monday, {})[_cell(flagged, verdict)] = films
        return [Agreement(monday, **weeks[monday]) for monday in sorted(weeks)]

    def earlier_films(self, entry: Entry, limit: int = 10) -> list[Entry]:
        """Give other films of the same patient up to this one's date, newest first.

        The same (0010,0020) *Patient ID* and no other birth date: two sites may give one id twice.
        """
        header = entry.header
        if header is None or not header.patient_id:
            return []
        statement = select(EntryRow).where(
            EntryRow.is_read.in_((False, True)),  # the index begins with it
            EntryRow.patient_id == header.patient_id,
            EntryRow.id != entry.id,
        )
        statement = statement.order_by(EntryRow.study_date.desc(), EntryRow.study_time.desc())
        with self._database.reading() as session:
            found = [as_entry(row) for row in session.scalars(statement)]
        return [film for film in found if _is_earlier(film, entry)][:limit]

    def since(self, moment: datetime) -> ReadingDay:
        """Say how much was read since a moment, and how long the films had waited."""
        read = select(EntryRow.read_at, EntryRow.received_at).where(EntryRow.read_at >= moment)
        read = read.with_hint(EntryRow, f"INDEXED BY {READ_AT_INDEX}", dialect_name="sqlite")
        with self._database.reading() as session:
            waits = [
                (read_at - received_at).total_seconds()
                for read_at, received_at in session.execute(read)
                if read_at is not None
            ]
        return ReadingDay(len(waits), median(waits) if waits else None)

    def note_unmasking(self, reader: str) -> None:
        """Record that a reader lets names and ids be shown."""
        with self._database.writing() as session:
            session.add(event(UNMASKED, reader, self._clock()))

    def masking_key(self) -> bytes:
        """Give the key of the short ids that stand for masked ones: one for all servers."""
        statement = select(SecretRow.value).where(SecretRow.name == MASKING)
        with self._database.reading() as session:
            known = session.scalar(statement)
        if known is not None:
            return known
        made = {"name": MASKING, "value": secrets.token_bytes(SECRET_BYTES)}
        with self._database.writing() as session:
            # Two servers may ask at once: both get the one that was written first.
            session.execute(self._database.insert(SecretRow).values(made).on_conflict_do_nothing())
            return session.scalars(statement).one()


def claims_of(session: Session, numbers: Iterable[int], now: datetime) -> dict[int, Claim]:
    """Look up who has which films open now, by the number of the entry."""
    statement = select(ClaimRow).where(ClaimRow.entry_number.in_(numbers), ClaimRow.until > now)
    return {row.entry_number: _as_claim(row) for row in session.scalars(statement)}


def _last_verdicts() -> Select[int]:
    """Select the number of every film's last verdict."""
    judged = select(func.max(ReviewRow.number)).where(ReviewRow.verdict.is_not(None))
    return judged.group_by(ReviewRow.entry_number)


def _cell(flagged: bool | None, verdict: Verdict | None) -> str:
    """Name what a verdict counts as."""
    if verdict is Verdict.UNUSABLE:
        return "unusable"
    truth = "true" if verdict is Verdict.AGREE else "false"
    return f"{truth}_{'positive' if flagged else 'negative'}"


def _locked(session: Session, entry_id: str) -> EntryRow:
    row = session.scalar(select(EntryRow).where(EntryRow.id == entry_id).with_for_update())
    if row is None:
        raise EntryNotFoundError.of(entry_id)
    return row


def event(
    kind: str, reader: str, now: datetime, entry_number: int | None = None, detail: str = ""
) -> EventRow:
    """Make the line that records who did what."""
    return EventRow(
        happened_at=now, kind=kind, reader=reader, entry_number=entry_number, detail=detail or None
    )


def _is_earlier(film: Entry, entry: Entry) -> bool:
    """Tell whether a film of one patient ID is the same patient's and not of a later day."""
    if film.header is None or entry.header is None:
        return False
    births = {film.header.patient_birth_date, entry.header.patient_birth_date} - {""}
    return len(births) < 2 and film.header.study_date <= (entry.header.study_date or "9")


def _as_claim(row: ClaimRow) -> Claim:
    return Claim(row.reader, row.since, row.until)


def _as_review(row: ReviewRow) -> Review:
    return Review(
        reader=row.reader,
        reviewed_at=row.reviewed_at,
        verdict=row.verdict,
        cause=row.cause,
        comment=row.comment or "",
        heat_seen=row.heat_seen,
        model_version=row.model_version or "",
        flagged=row.flagged,
        pneumonia_probability=row.pneumonia_probability,
        threshold=row.threshold,
    )
