"""The rows of reviews: which verdict of a film counts, and what a row says."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from cxr_app.worklist.review import Review
from cxr_app.worklist.room_tables import SecondReadingRow
from cxr_app.worklist.second_reading import SecondReadingState
from cxr_app.worklist.tables import ReviewRow


def last_verdicts() -> Select[int]:
    """Select the number of the verdict that counts of every film: a settlement, else the last.

    Films in which readers differ, and which nobody has settled, have none.
    """
    settlement = func.max(case((ReviewRow.settles, ReviewRow.number)))
    judged = select(func.coalesce(settlement, func.max(ReviewRow.number)))
    judged = judged.where(*holds(), ReviewRow.entry_number.not_in(disputed()))
    return judged.group_by(ReviewRow.entry_number)


def disputed() -> Select[int]:
    """Select the entry numbers of the films in which readers differ."""
    state = SecondReadingRow.state == SecondReadingState.DISAGREED
    return select(SecondReadingRow.entry_number).where(state)


def holds() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a row to be a verdict that was not taken back."""
    later = aliased(ReviewRow)
    taken_back = exists().where(
        later.entry_number == ReviewRow.entry_number, later.takes_back == ReviewRow.number
    )
    return ReviewRow.verdict.is_not(None), ~taken_back


def reviews_of(session: Session, entry_number: int) -> list[Review]:
    """Return the reviews of a film, newest first, and what was taken back of them."""
    statement = select(ReviewRow).where(ReviewRow.entry_number == entry_number)
    return as_reviews(session.scalars(statement.order_by(ReviewRow.number.desc())).all())


def as_reviews(rows: Sequence[ReviewRow]) -> list[Review]:
    """Return the values of all rows of a film."""
    gone = {row.takes_back for row in rows}
    return [replace(as_review(row), is_taken_back=row.number in gone) for row in rows]


def as_review(row: ReviewRow) -> Review:
    """Return the values of a row; whether it was taken back is not looked up."""
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
        number=row.number,
        takes_back=row.takes_back,
        settles=row.settles,
    )
