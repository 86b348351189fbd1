"""The readers' judgements of films: added, never changed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from sqlalchemy.orm import Session

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

    def take_back(self, numbers: Iterable[int], reader: str) -> str:
        """Withdraw a reader's own verdicts on one film: a row is added for each, and none counts.

        A film that one of them made read is unread again, unless another verdict was given since.

        Returns
        -------
        str
            The entry's id.

        Raises
        ------
        ReviewError
            If one of them is no verdict of this reader on the film, or was taken back already.
        """
        with self._database.writing() as session:
            given = _own_verdicts(session, set(numbers), reader)
            entry = locked_entries(session, EntryRow.number == given[0].entry_number)[0]
            gone = select(ReviewRow.takes_back).where(ReviewRow.entry_number == entry.number)
            if set(session.scalars(gone)) & {review.number for review in given}:
                raise ReviewError("This verdict was taken back already.")
            now = self._clock()  # one moment, so that archives receive one object
            session.add_all(_withdrawal(review, now) for review in given)
            session.flush()
            note_review(session, entry.number)
            _note_reading(session, entry)
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


def _own_verdicts(session: Session, numbers: set[int], reader: str) -> Sequence[ReviewRow]:
    """Return a reader's verdicts on one film, by their numbers."""
    own = ReviewRow.number.in_(numbers), ReviewRow.reader == reader, ReviewRow.verdict.is_not(None)
    found = session.scalars(select(ReviewRow).where(*own).order_by(ReviewRow.number)).all()
    if len(found) != len(numbers) or len({review.entry_number for review in found}) != 1:
        raise ReviewError("There is no verdict of yours to take back.")
    return found


def _withdrawal(review: ReviewRow, now: datetime) -> ReviewRow:
    return ReviewRow(
        entry_number=review.entry_number,
        reader=review.reader,
        reviewed_at=now,
        heat_seen=review.heat_seen,
        takes_back=review.number,
    )


def _note_reading(session: Session, entry: EntryRow) -> None:
    """Let a film that a verdict made read be read by the first one since that holds, or unread."""
    of_film = ReviewRow.entry_number == entry.number, ReviewRow.verdict.is_not(None)
    began = select(func.min(ReviewRow.number)).where(*of_film)
    began_at = session.scalar(began.where(ReviewRow.reviewed_at == entry.read_at))
    if began_at is None:  # unread, or marked as read
        return
    left = select(ReviewRow).where(*of_film, *holds(), ReviewRow.number >= began_at)
    first = session.scalar(left.order_by(ReviewRow.number).limit(1))
    entry.is_read = first is not None
    entry.read_at = first.reviewed_at if first else None
    entry.read_by = first.reader if first else None


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
