"""The readers' judgements of films: added, never changed."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    false,
    func,
    or_,
    select,
    type_coerce,
)

from cxr_app.errors import ReviewError
from cxr_app.worklist.locking import locked_entries, locked_entry_by_id
from cxr_app.worklist.review import (
    Agreement,
    Cause,
    ReadingDay,
    Review,
    ReviewedCounts,
    ReviewedFilm,
    Verdict,
)
from cxr_app.worklist.review_rows import as_review, as_reviews, disputed, holds, last_verdicts
from cxr_app.worklist.second_readings import note_review, settles
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
        answer: Verdict | bool | None = None,
        *,
        cause: Cause | None = None,
        comment: str = "",
        heat_seen: bool = False,
    ) -> Review:
        """Add a reader's review of a film; with a verdict the film counts as read.

        Parameters
        ----------
        answer
            A verdict; or whether the reader saw pneumonia, from which the verdict on the flag that
            the film has now follows; None for a comment alone.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        ValueError
            If there is neither verdict nor comment, or if the verdict is about a flag and no model
            has judged the film.
        """
        if answer is None and not comment:
            raise ValueError("a review needs a verdict or a comment, got neither")
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            verdict = _verdict_on(entry.flagged, answer)
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
                settles=verdict is not None and settles(session, entry.number, reader),
            )
            session.add(row)
            session.flush()
            if verdict is not None:
                note_review(session, entry.number)
                entry.is_read = True
                entry.read_at = entry.read_at or now
                entry.read_by = entry.read_by or reader
            return as_review(row)

    def take_back(self, number: int, reader: str) -> str:
        """Withdraw a reader's own verdict: a row is added, and the verdict no longer counts.

        If no other verdict on the film is left, it is unread again, unless it was marked as read
        without one.

        Returns
        -------
        str
            The entry's id.

        Raises
        ------
        ReviewError
            If there is no such verdict of this reader, or it was taken back already.
        """
        with self._database.writing() as session:
            review = session.get(ReviewRow, number)
            if review is None or review.reader != reader or review.verdict is None:
                raise ReviewError("There is no verdict of yours to take back.")
            entry = locked_entries(session, EntryRow.number == review.entry_number)[0]
            if session.scalar(select(ReviewRow.number).where(ReviewRow.takes_back == number)):
                raise ReviewError("This verdict was taken back already.")
            now = self._clock()
            row = ReviewRow(
                entry_number=entry.number,
                reader=reader,
                reviewed_at=now,
                heat_seen=review.heat_seen,
                takes_back=number,
            )
            session.add(row)
            session.flush()
            note_review(session, entry.number)
            of_film = select(ReviewRow.number).where(ReviewRow.entry_number == entry.number)
            is_left = session.scalar(of_film.where(*holds()).limit(1)) is not None
            by_verdict = of_film.where(
                ReviewRow.verdict.is_not(None), ReviewRow.reviewed_at == entry.read_at
            )
            if not is_left and session.scalar(by_verdict.limit(1)) is not None:
                entry.is_read, entry.read_at, entry.read_by = False, None, None
            return entry.id

    def of_film(self, entry_id: str) -> list[Review]:
        """Return the reviews of a film, newest first, and what was taken back of them."""
        statement = (
            select(ReviewRow)
            .join(EntryRow, EntryRow.number == ReviewRow.entry_number)
            .where(EntryRow.id == entry_id)
            .order_by(ReviewRow.number.desc())
        )
        with self._database.reading() as session:
            return as_reviews(session.scalars(statement).all())

    def reviewed_films(self) -> Iterator[ReviewedFilm]:
        """Yield every film that is kept, not turned by a reader, and judged; its last verdict."""
        statement = (
            select(EntryRow, ReviewRow)
            .join(ReviewRow, ReviewRow.entry_number == EntryRow.number)
            .where(ReviewRow.number.in_(last_verdicts()), EntryRow.film_deleted_at.is_(None))
            .where(~_is_turned())
            .order_by(EntryRow.number)
        )
        with self._database.reading() as session:
            for entry, row in session.execute(statement):
                review = as_review(row)
                if review.pneumonia is not None:
                    cause = review.cause if review.pneumonia else None
                    yield ReviewedFilm(
                        entry.sha256, entry.path, entry.patient_id or "", review.pneumonia, cause
                    )

    def reviewed_counts(self) -> ReviewedCounts:
        """Count the judged films by whether, and as what, a retraining can use them."""
        kinds = (
            *(ReviewRow.verdict, ReviewRow.flagged, ReviewRow.cause),
            EntryRow.film_deleted_at.is_not(None).label("deleted"),
            _is_turned().label("turned"),
        )
        statement = (
            select(*kinds, func.count())
            .join(EntryRow, EntryRow.number == ReviewRow.entry_number)
            .where(ReviewRow.number.in_(last_verdicts()))
            .group_by(*kinds)
        )
        counts: Counter[str] = Counter()
        with self._database.reading() as session:
            for verdict, flagged, cause, deleted, turned, films in session.execute(statement):
                if verdict is not None:
                    use = _use_name(verdict, flagged, cause, deleted=deleted, turned=turned)
                    counts[use] += films
            counts["disputed"] = (
                session.scalar(select(func.count()).select_from(disputed().subquery())) or 0
            )
        return ReviewedCounts(**counts)

    def agreement(self, model_version: str) -> list[Agreement]:
        """Count, week by week, how a model's flags agree with the readers' last verdicts."""
        days = type_coerce(ReviewRow.reviewed_at, BigInteger) // DAY_MICROSECONDS
        week = ((days + DAYS_BEFORE_MONDAY) // DAYS_A_WEEK).label("week")
        statement = (
            select(week, ReviewRow.flagged, ReviewRow.verdict, func.count())
            .where(ReviewRow.model_version == model_version)
            .where(ReviewRow.number.in_(last_verdicts()))
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


def _verdict_on(flagged: bool | None, answer: Verdict | bool | None) -> Verdict | None:
    if not isinstance(answer, bool):
        return answer
    return Verdict.AGREE if answer == flagged else Verdict.DISAGREE


def _is_turned() -> ColumnElement[bool]:
    """Return whether a reader has turned or mirrored a film, unlike its file."""
    return or_(
        func.coalesce(EntryRow.quarter_turns, 0) != 0, func.coalesce(EntryRow.mirrored, false())
    )


def _use_name(
    verdict: Verdict, flagged: bool | None, cause: Cause | None, *, deleted: bool, turned: bool
) -> str:
    """Return the field of `ReviewedCounts` that a film counts in."""
    if verdict in (Verdict.UNUSABLE, Verdict.UNSURE):
        return str(verdict.value).lower()
    if deleted or turned:
        return "deleted" if deleted else "turned"
    if flagged != (verdict is Verdict.AGREE):
        return "normal"
    return cause.value.lower() if cause in (Cause.BACTERIAL, Cause.VIRAL) else "without_cause"


def _count_name(flagged: bool | None, verdict: Verdict | None) -> str:
    """Return the field of `Agreement` that a verdict counts in."""
    if verdict in (Verdict.UNUSABLE, Verdict.UNSURE):
        return str(verdict.value).lower()
    truth = "true" if verdict is Verdict.AGREE else "false"
    return f"{truth}_{'positive' if flagged else 'negative'}"
