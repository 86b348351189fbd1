"""Number of films in each state, and the films that wait for a score."""

from datetime import datetime

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from cxr_app.priority import BAND_NUMBERS
from cxr_app.worklist import counters, search
from cxr_app.worklist.entry import Query
from cxr_app.worklist.filters import order_index, read_values, second_reading_numbers
from cxr_app.worklist.handover_columns import URGENT_SHIFT
from cxr_app.worklist.segment import along
from cxr_app.worklist.studies import list_filters
from cxr_app.worklist.tables import ORDER_INDEX, TIERS, UNSCORED, UNSCORED_INDEX, EntryRow


def count(session: Session, query: Query, now: datetime, at_most: int | None = None) -> int:
    """Count what the list of the query has, at most `at_most` if it has a text or is by study."""
    if query.is_counted:
        return counters.count(session, query)
    few = search.among_few(session, query.text)
    clauses = (EntryRow.is_read.in_(read_values(query)), *list_filters(query, now))
    clauses = clauses if few is None else (*clauses, few)
    is_listed = few is None and second_reading_numbers(query) is None
    index = order_index(query) if is_listed else None
    found = along(index, select(EntryRow.number)).where(*clauses).limit(at_most)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def unscored() -> Select[EntryRow]:
    """Return a select of the entries that wait for a score, longest waiting first."""
    statement = along(UNSCORED_INDEX, select(EntryRow)).where(UNSCORED)
    return statement.order_by(EntryRow.received_at, EntryRow.number)


def oldest_unread(session: Session) -> datetime | None:
    """Return since when the unread chest film waits that waits longest.

    It takes one look-up in an index for each band of each tier.
    """
    oldest = union_all(
        *(
            along(ORDER_INDEX, select(func.min(EntryRow.waits_since).label("oldest")))
            .select_from(EntryRow)
            .where(EntryRow.is_read.is_(False), EntryRow.tier == tier, EntryRow.band == band)
            for tier in TIERS
            for band in (*BAND_NUMBERS, *(band - URGENT_SHIFT for band in BAND_NUMBERS))
        )
    ).subquery()
    found: datetime | None = session.scalar(select(func.min(oldest.c.oldest)))
    return found
