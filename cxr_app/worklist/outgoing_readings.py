"""Which verdicts and comments of readers an archive has not been sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from cxr_app.destination import Destination, ResultKind
from cxr_app.worklist.outgoing_tables import OutgoingRow
from cxr_app.worklist.room_tables import SecondReadingRow
from cxr_app.worklist.second_reading import SecondReadingState
from cxr_app.worklist.tables import EntryRow, ReviewRow

NEEDED = (
    EntryRow.sop_class_uid,
    EntryRow.sop_instance_uid,
    EntryRow.series_instance_uid,
    EntryRow.study_instance_uid,
)
"""Without these a film has no place in an archive that a result could stand beside."""


def unsent_readings(
    session: Session, destination: Destination, since: datetime, limit: int
) -> list[dict[str, Any]]:
    """Return the column values of the objects to add, oldest first.

    A film's first verdict on a flag, and from then on each verdict, comment and withdrawal, makes a
    new object; it replaces the one before. Verdicts taken back together make one.

    Parameters
    ----------
    since
        Earlier reviews are not looked at.

    Notes
    -----
    While readers differ in a film that is read twice, nothing is added; once they agree or are
    settled, the verdict since then is.
    """
    moment = ReviewRow.reviewed_at
    others = aliased(ReviewRow)
    has_verdict = exists().where(
        others.entry_number == ReviewRow.entry_number,
        others.number <= ReviewRow.number,
        others.verdict.is_not(None),
        others.flagged.is_not(None),
    )
    known = exists().where(
        OutgoingRow.entry_number == ReviewRow.entry_number,
        OutgoingRow.destination == destination.name,
        OutgoingRow.kind == ResultKind.READING,
        OutgoingRow.scored_at == moment,
    )
    statement = (
        select(ReviewRow.entry_number, moment, EntryRow.model_version)
        .join(EntryRow, EntryRow.number == ReviewRow.entry_number)
        .where(moment >= since, has_verdict, ~known, EntryRow.film_deleted_at.is_(None))
        .where(*(uid.is_not(None) for uid in NEEDED), ~_is_overtaken())
        .order_by(ReviewRow.number)
        .limit(limit)
    )
    found = {
        (number, reviewed_at): {
            "entry_number": number,
            "kind": ResultKind.READING,
            "scored_at": reviewed_at,
            "model_version": model_version or "",
        }
        for number, reviewed_at, model_version in session.execute(statement)
    }
    return list(found.values())


def _is_overtaken() -> ColumnElement[bool]:
    """Return whether a review belongs to a difference between readers, open or done with."""
    decided = (SecondReadingState.AGREED, SecondReadingState.SETTLED)
    return exists().where(
        SecondReadingRow.entry_number == ReviewRow.entry_number,
        or_(
            SecondReadingRow.state == SecondReadingState.DISAGREED,
            and_(
                SecondReadingRow.state.in_(decided),
                ReviewRow.number < SecondReadingRow.decided_by,
            ),
        ),
    )
