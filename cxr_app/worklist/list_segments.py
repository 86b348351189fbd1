"""The list cut into segments, each in an order that one index holds.

The default order is no single sort: a film past the waiting cap jumps ahead, so a film's place
depends on the time. But it is a fixed sequence of segments (past the cap, tier 0, band 0; past the
cap, tier 0, band 1; ...), and within each the order is that of an index.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, case, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from cxr_app.outcome import Priority
from cxr_app.priority import BAND_NUMBERS
from cxr_app.worklist import counters, search
from cxr_app.worklist.beginning import Beginning
from cxr_app.worklist.entry import Query
from cxr_app.worklist.filters import is_mixed, order_index, read_values, second_reading_numbers
from cxr_app.worklist.handover_columns import ASSIGNED_INDEX
from cxr_app.worklist.segment import (
    BAND_KEYS,
    DEFAULT_KEYS,
    Clause,
    Key,
    ListSegment,
    Place,
    along,
    column_named,
)
from cxr_app.worklist.studies import list_filters
from cxr_app.worklist.tables import (
    NO_CHEST_BAND,
    SORT_INDEXES,
    UNBOUNDED,
    UNJUDGED_TIER,
    EntryRow,
    tier,
)

FEW_VALUED = frozenset(
    SORT_INDEXES[name]
    for name in ("state", "read_by", "patient_age_days", "patient_sex", "view_position", "reason")
)
"""Indexes of columns that have, or may have, few values."""
MOST_VALUES = 64
"""Most values, of unread and read films together, that are walked one by one."""


def list_segments(session: Session, query: Query, now: datetime) -> list[ListSegment]:
    """Return the segments of the query's list, first to last."""
    # A column's index does not hold the search texts: it is faster to read through these first.
    scan = query.sort not in ("", "priority")
    few: Clause | None = search.among_few(session, query.text, scan=scan)
    if few is None and scan and query.assigned_to is not None:
        few = _assigned(query.assigned_to)
    twice = second_reading_numbers(query)
    if few is None and twice is not None:
        few = EntryRow.number.in_(twice)
    if few is not None:
        return list(_of_few(query, now, few))
    if not query.sort:
        return list(_in_default_order(query, now))
    if query.sort == "priority":
        return list(_by_priority(query, now))
    return list(_sorted(session, query, now))


def _in_default_order(query: Query, now: datetime) -> Iterator[ListSegment]:
    if query.state != "read":
        yield from _unread(query, now)
    if query.state in ("read", "all"):
        filters, index = list_filters(query, now), order_index(query)
        for tier in counters.tiers_of(query):
            yield _of_tier(tier, filters, index, is_read=True)


def _unread(query: Query, now: datetime) -> Iterator[ListSegment]:
    """Yield the films that wait: urgent ones, those past the cap, the others, no chest films."""
    filters, index, tiers = list_filters(query, now), order_index(query), counters.tiers_of(query)
    for each in tiers:
        yield _urgent(each, filters, index)
    for past_cap in (True, False):
        since = _since(now - query.waiting_cap, past_cap=past_cap)
        for each in tiers:
            for band in BAND_NUMBERS:
                yield _waiting(each, band, since, filters, index)
    if UNJUDGED_TIER in tiers:
        yield _waiting(UNJUDGED_TIER, NO_CHEST_BAND, ALWAYS, filters, index)


def _urgent(tier: int, filters: tuple[Clause, ...], index: str) -> ListSegment:
    """Return one tier's films that wait and are marked as urgent."""
    return ListSegment(
        (EntryRow.is_read.is_(False), EntryRow.tier == tier, EntryRow.band < 0, *filters),
        lambda place: not place.is_read and place.tier == tier and place.band < 0,
        index,
    )


def _assigned(reader: str) -> Clause:
    """Return a condition for the films assigned to a reader, which are few."""
    numbers = along(ASSIGNED_INDEX, select(EntryRow.number)).where(EntryRow.assigned_to == reader)
    return EntryRow.number.in_(numbers)


@dataclass(frozen=True, slots=True)
class _Since:
    """Which films by the time since which they wait: a condition, and the same of a place."""

    clauses: tuple[Clause, ...]
    holds: Callable[[Place], bool]


ALWAYS = _Since((), lambda _: True)


def _since(cap: datetime, *, past_cap: bool) -> _Since:
    waits_since = EntryRow.waits_since
    return _Since(
        (waits_since <= cap if past_cap else waits_since > cap,),
        lambda place: (place.waits_since <= cap) == past_cap,
    )


def _waiting(
    tier: int, band: int, since: _Since, filters: tuple[Clause, ...], index: str
) -> ListSegment:
    """Return the films of one band that wait."""
    return ListSegment(
        (
            EntryRow.is_read.is_(False),
            EntryRow.tier == tier,
            EntryRow.band == band,
            *since.clauses,
            *filters,
        ),
        lambda place: (
            not place.is_read and (place.tier, place.band) == (tier, band) and since.holds(place)
        ),
        index,
        BAND_KEYS,
    )


def _of_tier(
    tier: int, filters: tuple[Clause, ...], index: str, *, is_read: bool, scored: bool | None = None
) -> ListSegment:
    """Return one tier's films; `scored` limits them to those with or without a score."""
    if scored is not None:
        filters = (*filters, EntryRow.state.is_not(None) if scored else EntryRow.state.is_(None))
    return ListSegment(
        (EntryRow.is_read.is_(is_read), EntryRow.tier == tier, *filters),
        lambda place: (
            place.is_read == is_read and place.tier == tier and scored in (None, place.is_scored)
        ),
        index,
    )


def _by_priority(query: Query, now: datetime) -> Iterator[ListSegment]:
    """Yield the segments by priority: of each, the flagged tier and the other one."""
    filters, index = list_filters(query, now), order_index(query)
    ranks = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)
    for rank in ranks[::-1] if query.descending else ranks:
        for is_read in read_values(query):
            for flagged in (True, False):
                of_rank = tier(rank, flagged=flagged)
                yield _of_tier(of_rank, filters, index, is_read=is_read, scored=True)
    for is_read in read_values(query):
        yield _of_tier(UNJUDGED_TIER, filters, index, is_read=is_read, scored=False)


def _sorted(session: Session, query: Query, now: datetime) -> Iterator[ListSegment]:
    """Yield the segments by a column: first films with a value, then those without."""
    key, index, filters = sort_key(query.sort), _sort_index(query.sort), list_filters(query, now)
    values, halves = _values(session, key, index) if query.descending else None, read_values(query)
    if values is None:
        yield ListSegment(
            (*filters, key.is_not(None)),
            lambda place: place.sorted_by is not None,
            index,
            (*(("is_read",) if len(halves) > 1 else ()), "tier", *DEFAULT_KEYS),
            key,
            query.descending,
            halves,
            session.get_bind().dialect.name == "postgresql",
        )
    for value in (*(values or ()), None):
        for is_read in read_values(query):
            yield _of_value(key, value, filters, index, is_read=is_read)


def _of_value(
    key: Key, value: Any, filters: tuple[Clause, ...], index: str | None, *, is_read: bool
) -> ListSegment:
    of_value = key.is_(None) if value is None else key == literal(value, key.type)
    return ListSegment(
        (*filters, of_value, EntryRow.is_read.is_(is_read)),
        lambda place: place.sorted_by == value and place.is_read == is_read,
        index,
        ("tier", *DEFAULT_KEYS),
        key if value is None else None,
    )


def _values(session: Session, key: Key, index: str | None) -> list[Any] | None:
    """Return a column's values, greatest first; None if there are too many.

    An index that is ascending among equals cannot be walked in descending order. If there are many
    values, each has few equals, which are sorted fast; few values can be walked one by one.
    """
    if index not in FEW_VALUED:
        return None
    found: list[Any] = []
    for is_read in (False, True):
        greatest = along(index, select(func.max(key)).select_from(EntryRow))
        greatest = greatest.where(EntryRow.is_read.is_(is_read), key.is_not(None))
        value = session.scalar(greatest)
        while value is not None and len(found) <= MOST_VALUES:
            found.append(value)
            value = session.scalar(greatest.where(key < literal(value, key.type)))
    return None if len(found) > MOST_VALUES else sorted(set(found), reverse=True)


def _of_few(query: Query, now: datetime, few: Clause) -> Iterator[ListSegment]:
    """Yield the segments of the few films of a search, which need no index."""
    clauses = (few, EntryRow.is_read.in_(read_values(query)), *list_filters(query, now))
    keys = ("is_read", "tier", *DEFAULT_KEYS)
    if not query.sort:
        yield ListSegment(clauses, lambda _: True, None, keys, rank(query, now))
        return
    key = sort_key(query.sort)
    yield ListSegment(
        (*clauses, key.is_not(None)),
        lambda place: place.sorted_by is not None,
        None,
        keys,
        key,
        query.descending,
    )
    yield ListSegment(
        (*clauses, key.is_(None)), lambda place: place.sorted_by is None, None, keys, key
    )


def rank(query: Query, now: datetime) -> Key:
    """Return what the default order begins with: urgent, past the cap, waiting, other, read."""
    waits = case(
        (EntryRow.band < 0, -1),
        (EntryRow.band == NO_CHEST_BAND, 2),
        (EntryRow.waits_since <= now - query.waiting_cap, 0),
        else_=1,
    )
    if is_mixed(query):
        return case((EntryRow.is_read, 3), else_=waits)
    return literal(3) if query.state == "read" else waits


def sort_key(name: str) -> Key:
    """Return what a column is sorted by: its values, or their rank if that is the order meant."""
    if name == "priority":
        ranks = {Priority.LOW.value: 0, Priority.MEDIUM.value: 1, Priority.HIGH.value: 2}
        return case(ranks, value=type_coerce(EntryRow.priority, Text))
    if name == "patient_age":
        return EntryRow.patient_age_days.expression
    if name == "state":
        return type_coerce(EntryRow.state, Text)
    return Beginning(column_named(name)) if name in UNBOUNDED else column_named(name)


def _sort_index(name: str) -> str | None:
    return SORT_INDEXES.get("patient_age_days" if name == "patient_age" else name)
