"""The readers' judgements of films: added, never changed."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import BigInteger, Select, func, select, type_coerce

from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.review import (
    Agreement,
    Cause,
    ReadingDay,
    Review,
    ReviewedFilm,
    Verdict,
)
from cxr_app.worklist.tables import READ_AT_INDEX, EntryRow, ReviewRow
from cxr_app.worklist.transactions import Transactions

DAY_MICROSECONDS = 24 * 60 * 60 * 1_000_000
DAYS_BEFORE_MONDAY = 3
"""Days from a Monday to the epoch, which was a Thursday."""
DAYS_A_WEEK = 7
EPOCH_MONDAY = date(1969, 12, 29)


class ReviewLog(Transactions):
    """The reviews of all films."""

    def add(
        self,
        entry_id: str,
        reader: str,
        verdict: Verdict | None = None,
        *,
        cause: Cause | None = None,
        comment: str = "",
        heat_seen: bool = False,
    ) -> Review:
        """Add a reader's review of a film; with a verdict the film counts as read.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        ValueError
            If there is neither verdict nor comment, or if the verdict is about a flag and no model
            has judged the film.
        """
        if verdict is None and not comment:
            raise ValueError("a review needs a verdict or a comment, got neither")
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
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

    def of_film(self, entry_id: str) -> list[Review]:
        """Return the reviews of a film, newest first."""
        statement = (
            select(ReviewRow)
            .join(EntryRow, EntryRow.number == ReviewRow.entry_number)
            .where(EntryRow.id == entry_id)
            .order_by(ReviewRow.number.desc())
        )
        with self._database.reading() as session:
            return [_as_review(row) for row in session.scalars(statement)]

    def reviewed_films(self) -> Iterator[ReviewedFilm]:
        """Yield every film that is kept and was judged, with its last verdict."""
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
        """Count, week by week, how a model's flags agree with the readers' last verdicts."""
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
                weeks.setdefault(monday, {})[_count_name(flagged, verdict)] = films
        return [Agreement(monday, **weeks[monday]) for monday in sorted(weeks)]

    def read_since(self, moment: datetime) -> ReadingDay:
        """Return the number of films read since a moment, and how long they had waited."""
        read = select(EntryRow.read_at, EntryRow.received_at).where(EntryRow.read_at >= moment)
        read = read.with_hint(EntryRow, f"INDEXED BY {READ_AT_INDEX}", dialect_name="sqlite")
        with self._database.reading() as session:
            waits = [
                (read_at - received_at).total_seconds()
                for read_at, received_at in session.execute(read)
                if read_at is not None
            ]
        return ReadingDay(len(waits), median(waits) if waits else None)


def _last_verdicts() -> Select[int]:
    """Select the number of every film's last verdict."""
    judged = select(func.max(ReviewRow.number)).where(ReviewRow.verdict.is_not(None))
    return judged.group_by(ReviewRow.entry_number)


def _count_name(flagged: bool | None, verdict: Verdict | None) -> str:
    """Return the field of `Agreement` that a verdict counts in."""
    if verdict is Verdict.UNUSABLE:
        return "unusable"
    truth = "true" if verdict is Verdict.AGREE else "false"
    return f"{truth}_{'positive' if flagged else 'negative'}"


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
