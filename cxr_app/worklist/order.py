"""Pages and neighbours: the list's segments walked one after the other.

A page is walked to from whichever end is nearer. A neighbour is the next film in its segment, or
the first of a later one. The list is never sorted or loaded as a whole, except for the few films
that match a search.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cxr_app.worklist import counters
from cxr_app.worklist.entry import Query
from cxr_app.worklist.filters import is_mixed
from cxr_app.worklist.list_segments import list_segments, rank, sort_key
from cxr_app.worklist.segment import Clause, ListSegment, Place, column_named
from cxr_app.worklist.studies import standing_for
from cxr_app.worklist.tables import EntryRow

COUNTED_AT_ONCE = 6
"""Segments whose films are counted by one statement: each takes a millisecond to ask."""


def numbers(session: Session, query: Query, now: datetime, offset: int, limit: int) -> list[int]:
    """Return the entry numbers of one page, in order; segments are walked from the nearer end."""
    segments = list_segments(session, query, now)
    if offset and query.is_counted:
        total = counters.count(session, query)
        if offset > total // 2:
            end = max(total - offset - limit, 0)
            walked = _walk(session, segments[::-1], end, min(limit, total - offset), backwards=True)
            return walked[::-1]
    return _walk(session, segments, offset, limit)


def _walk(
    session: Session,
    segments: Sequence[ListSegment],
    offset: int,
    limit: int,
    *,
    backwards: bool = False,
) -> list[int]:
    found: list[int] = []
    if offset and segments and segments[0].sort is None:
        segments, offset = _skipped(session, segments, offset)
    for segment in segments:
        if len(found) >= limit:
            break
        wanted, missing = column_named("number"), limit - len(found)
        statement = segment.walk(wanted, limit=missing, offset=offset, backwards=backwards)
        here = session.scalars(statement).all()
        found.extend(here)
        if here:
            offset = 0
        elif offset:  # the page begins behind this segment: skip its films
            offset -= session.scalar(segment.size(offset)) or 0
    return found


def _skipped(
    session: Session, segments: Sequence[ListSegment], offset: int
) -> tuple[Sequence[ListSegment], int]:
    """Return the segments from that on which has the film at an offset, and its offset there."""
    for start in range(0, len(segments), COUNTED_AT_ONCE):
        some = segments[start : start + COUNTED_AT_ONCE]
        sizes = select(*(segment.size(offset + 1).scalar_subquery() for segment in some))
        for at, size in enumerate(session.execute(sizes).one(), start):
            if size > offset:
                return segments[at:], offset
            offset -= size
    return (), 0


def neighbours(
    session: Session, query: Query, now: datetime, entry_id: str
) -> tuple[str | None, str | None] | None:
    """Return the ids before and after an entry; None if there is no such entry."""
    segments = list_segments(session, query, now)
    place = _place(session, query, now, standing_for(session, query, now, entry_id))
    if place is None:
        return None
    at = next(i for i, segment in enumerate(segments) if segment.holds(place))
    before = _nearest(session, segments[at], list(reversed(segments[:at])), place, backwards=True)
    return before, _nearest(session, segments[at], segments[at + 1 :], place, backwards=False)


def _nearest(
    session: Session,
    home: ListSegment,
    others: Sequence[ListSegment],
    place: Place,
    *,
    backwards: bool,
) -> str | None:
    tries: list[tuple[ListSegment, tuple[Clause, ...]]] = [
        (home, (beyond,)) for beyond in home.beyond(place, backwards=backwards)
    ]
    tries += [(other, ()) for other in others]
    for segment, beyond in tries:
        statement = segment.walk(column_named("id"), *beyond, limit=1, backwards=backwards)
        found: str | None = session.scalar(statement)
        if found is not None:
            return found
    return None


def _place(session: Session, query: Query, now: datetime, entry_id: str) -> Place | None:
    """Return the place of an entry, or the place it would have if it still matched the query."""
    statement = select(
        EntryRow.is_read,
        EntryRow.state.is_not(None),
        EntryRow.tier,
        EntryRow.band,
        EntryRow.waits_since,
        EntryRow.descending_probability,
        EntryRow.number,
        sort_key(query.sort) if query.sort else rank(query, now),
    )
    row = session.execute(statement.where(EntryRow.id == entry_id)).one_or_none()
    if row is None:
        return None
    place = Place(*row)
    return place if is_mixed(query) else replace(place, is_read=query.state == "read")
