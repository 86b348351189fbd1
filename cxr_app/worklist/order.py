"""The order of the list, cut into stretches that one index can walk.

The default order is no single sort: a film past the waiting cap jumps ahead, so a film's place
depends on the clock. But it is a fixed sequence of stretches (past the cap, tier 0; past the cap,
tier 1; ...), and within each the order is one that an index holds. A page walks the stretches one
after the other, from whichever end is nearer; a neighbour is the next key in its stretch, or the
first of a later one. Nothing is ever sorted or loaded as a whole, but for the few films that a
search is about.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    TextClause,
    and_,
    case,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from cxr_app.outcome import Priority, ScoringState
from cxr_app.worklist import counters, search
from cxr_app.worklist.entry import Query
from cxr_app.worklist.tables import (
    ORDER_INDEX,
    REFUSED,
    REFUSED_INDEX,
    SORT_INDEXES,
    TIERS,
    UNJUDGED_TIER,
    UNSCORED,
    UNSCORED_INDEX,
    EntryRow,
    tier,
)

Clause = ColumnElement[bool] | TextClause
Key = ColumnElement[Any]
Statement = TypeVar("Statement", bound=Select[Any])

FEW_VALUED = frozenset(
    SORT_INDEXES[name]
    for name in ("state", "read_by", "patient_age_days", "patient_sex", "view_position", "reason")
)
MOST_VALUES = 64
"""Columns whose values are few, or may be: so many of unread and read films together."""

DEFAULT_KEYS = ("received_at", "descending_probability", "number")
"""What films of one tier are ordered by."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one film stands: what the stretches and keys ask of it."""

    is_read: bool
    is_scored: bool
    tier: int
    received_at: datetime
    descending_probability: float
    number: int
    sorted_by: Any


@dataclass(frozen=True, slots=True)
class ListSegment:
    """Consecutive films of the list: which, and how they are ordered.

    Parameters
    ----------
    clauses
        Which films belong, the query's filters included.
    holds
        Whether a film's place is in this stretch, its filters aside.
    index
        That SQLite is told to walk; None to look at every row, or at those that a search names.
        (It keeps no statistics to choose by; PostgreSQL chooses by itself.)
    keys
        Columns that order it: those of a place, all upwards. Nothing that is the same throughout,
        for PostgreSQL would not see that the index has this order.
    sort
        What comes before the keys; None for nothing.
    halves
        Of an index that begins with read or unread: which of both are walked side by side.
    """

    clauses: tuple[Clause, ...]
    holds: Callable[[Place], bool]
    index: str | None
    keys: tuple[str, ...] = DEFAULT_KEYS
    sort: Key | None = None
    descending: bool = False
    halves: tuple[bool, ...] = ()

    def walk(
        self, wanted: Key, *beyond: Clause, backwards: bool = False
    ) -> Select[Any] | CompoundSelect[Any]:
        """Select a column of its films in order, forwards or backwards."""
        if not self.halves:
            statement = _along(self.index, select(wanted)).where(*self.clauses, *beyond)
            return statement.order_by(*self._order(self._columns(), backwards=backwards))
        named = [column.label(f"by_{n}") for n, column in enumerate(self._columns())]
        half = _along(self.index, select(wanted.label("wanted"), *named))
        half = half.where(*self.clauses, *beyond)
        both = union_all(*(half.where(EntryRow.is_read.is_(each)) for each in self.halves))
        return both.order_by(*self._order(list(both.selected_columns)[1:], backwards=backwards))

    def size(self) -> Select[int]:
        """Count its films."""
        statement = select(func.count()).select_from(EntryRow)
        among = (EntryRow.is_read.in_(self.halves),) if self.halves else ()
        return _along(self.index, statement).where(*self.clauses, *among)

    def _columns(self) -> list[Key]:
        return [*([] if self.sort is None else [self.sort]), *map(_column, self.keys)]

    def _order(self, columns: Sequence[Key], *, backwards: bool) -> list[Any]:
        """Say which way each column goes: all upwards, but what it is sorted by as asked."""
        first = backwards if self.sort is None else self.descending != backwards
        ways = [first, *[backwards] * (len(columns) - 1)]
        return [key.desc() if down else key.asc() for key, down in zip(columns, ways, strict=True)]

    def beyond(self, place: Place, *, backwards: bool = False) -> Iterator[Clause]:
        """Say what comes after (or before) a place in this stretch, nearest first."""
        here = tuple_(*map(_column, self.keys))
        there = tuple_(*(literal(getattr(place, key), _column(key).type) for key in self.keys))
        among_equals = here < there if backwards else here > there
        if self.sort is None or place.sorted_by is None:  # here all are equal
            yield among_equals
            return
        value = literal(place.sorted_by, self.sort.type)
        yield and_(self.sort == value, among_equals)
        yield self.sort < value if self.descending != backwards else self.sort > value


def stretches(session: Session, query: Query, now: datetime) -> list[ListSegment]:
    """Cut the query's list into stretches, first to last."""
    # A walk along a column's index meets no search texts: better look through them first.
    look = query.sort not in ("", "priority")
    few = search.among_few(session, query.text, look=look)
    if few is not None:
        return list(_of_few(query, now, few))
    if not query.sort:
        return list(_in_default_order(query, now))
    if query.sort == "priority":
        return list(_by_priority(query))
    return list(_sorted(session, query))


def _matching(query: Query) -> tuple[Clause, ...]:
    """Say which films the query is about, but for read or unread."""
    clauses: list[Clause] = []
    if query.state == "needs_a_person":
        clauses.append(REFUSED)
    if query.flag != "any" or query.tier is not None:
        clauses.append(EntryRow.tier.in_(counters.tiers_of(query)))
        clauses.append(EntryRow.state == ScoringState.SCORED)
    return (*clauses, *search.holding(query.text))


def count(session: Session, query: Query, at_most: int | None = None) -> int:
    """Count the films that the query is about, where these are many no further than asked."""
    if not query.text and counters.is_kept(session):
        return counters.tallied(session, query)
    few = search.among_few(session, query.text)
    clauses = (EntryRow.is_read.in_(_reads(query)), *_matching(query))
    clauses = clauses if few is None else (*clauses, few)
    index = None if few is not None else _order_index(query)
    found = _along(index, select(EntryRow.number)).where(*clauses).limit(at_most)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def unscored() -> Select[EntryRow]:
    """Select what waits for a score, longest waiting first."""
    statement = _along(UNSCORED_INDEX, select(EntryRow)).where(UNSCORED)
    return statement.order_by(EntryRow.received_at, EntryRow.number)


def count_unscored(session: Session) -> int:
    """Count what waits for a score."""
    if counters.is_kept(session):
        return counters.tallied_unscored(session)
    return session.scalar(select(func.count()).select_from(EntryRow).where(UNSCORED)) or 0


def oldest_unread(session: Session) -> datetime | None:
    """Look up the oldest of each tier: six glances at the index in place of a walk through it."""
    oldest = union_all(
        *(
            _along(ORDER_INDEX, select(func.min(EntryRow.received_at).label("oldest")))
            .select_from(EntryRow)
            .where(EntryRow.is_read.is_(False), EntryRow.tier == tier)
            for tier in TIERS
        )
    ).subquery()
    found: datetime | None = session.scalar(select(func.min(oldest.c.oldest)))
    return found


def numbers(session: Session, query: Query, now: datetime, offset: int, limit: int) -> list[int]:
    """Give the keys of one page, in order, by walking the stretches from the nearer end."""
    cuts = stretches(session, query, now)
    if offset and not query.text and counters.is_kept(session):
        total = counters.tallied(session, query)
        if offset > total // 2:
            end = max(total - offset - limit, 0)
            walked = _walk(session, cuts[::-1], end, min(limit, total - offset), backwards=True)
            return walked[::-1]
    return _walk(session, cuts, offset, limit)


def _walk(
    session: Session,
    cuts: Sequence[ListSegment],
    offset: int,
    limit: int,
    *,
    backwards: bool = False,
) -> list[int]:
    found: list[int] = []
    for stretch in cuts:
        if len(found) >= limit:
            break
        statement = stretch.walk(_column("number"), backwards=backwards)
        here = session.scalars(statement.limit(limit - len(found)).offset(offset)).all()
        found.extend(here)
        if here:
            offset = 0
        elif offset:  # the page begins behind this stretch, which therefore is no longer than that
            offset -= session.scalar(stretch.size()) or 0
    return found


def neighbours(
    session: Session, query: Query, now: datetime, entry_id: str
) -> tuple[str | None, str | None] | None:
    """Give the ids before and after an entry, or None if there is no such entry."""
    cuts = stretches(session, query, now)
    place = _place(session, query, now, entry_id)
    if place is None:
        return None
    at = next(i for i, stretch in enumerate(cuts) if stretch.holds(place))
    before = _nearest(session, cuts[at], list(reversed(cuts[:at])), place, backwards=True)
    return before, _nearest(session, cuts[at], cuts[at + 1 :], place, backwards=False)


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
    for stretch, beyond in tries:
        statement = stretch.walk(_column("id"), *beyond, backwards=backwards)
        found: str | None = session.scalar(statement.limit(1))
        if found is not None:
            return found
    return None


def _place(session: Session, query: Query, now: datetime, entry_id: str) -> Place | None:
    """Find where an entry stands, or would stand if it still matched the query."""
    statement = select(
        EntryRow.is_read,
        EntryRow.state.is_not(None),
        EntryRow.tier,
        EntryRow.received_at,
        EntryRow.descending_probability,
        EntryRow.number,
        _sort_key(query.sort) if query.sort else _rank(query, now),
    )
    row = session.execute(statement.where(EntryRow.id == entry_id)).one_or_none()
    if row is None:
        return None
    place = Place(*row)
    return place if query.state == "all" else replace(place, is_read=query.state == "read")


def _in_default_order(query: Query, now: datetime) -> Iterator[ListSegment]:
    filters, index, tiers = _matching(query), _order_index(query), counters.tiers_of(query)
    if query.state != "read":
        for past_cap in (True, False):
            for tier in tiers:
                yield _waiting(tier, now - query.waiting_cap, filters, index, past_cap=past_cap)
    if query.state in ("read", "all"):
        for tier in tiers:
            yield _of_tier(tier, filters, index, is_read=True)


def _waiting(
    tier: int, cap: datetime, filters: tuple[Clause, ...], index: str, *, past_cap: bool
) -> ListSegment:
    received_at = EntryRow.received_at
    return ListSegment(
        (
            EntryRow.is_read.is_(False),
            EntryRow.tier == tier,
            received_at <= cap if past_cap else received_at > cap,
            *filters,
        ),
        lambda place: (
            not place.is_read and place.tier == tier and (place.received_at <= cap) == past_cap
        ),
        index,
    )


def _of_tier(
    tier: int, filters: tuple[Clause, ...], index: str, *, is_read: bool, scored: bool | None = None
) -> ListSegment:
    """Take one tier's films, those with or without a score where that is asked."""
    if scored is not None:
        filters = (*filters, EntryRow.state.is_not(None) if scored else EntryRow.state.is_(None))
    return ListSegment(
        (EntryRow.is_read.is_(is_read), EntryRow.tier == tier, *filters),
        lambda place: (
            place.is_read == is_read and place.tier == tier and scored in (None, place.is_scored)
        ),
        index,
    )


def _by_priority(query: Query) -> Iterator[ListSegment]:
    """Sort by rank: of each, the tier that is flagged and the one that is not."""
    filters, index = _matching(query), _order_index(query)
    ranks = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)
    for rank in ranks[::-1] if query.descending else ranks:
        for is_read in _reads(query):
            for flagged in (True, False):
                of_rank = tier(rank, flagged=flagged)
                yield _of_tier(of_rank, filters, index, is_read=is_read, scored=True)
    for is_read in _reads(query):
        yield _of_tier(UNJUDGED_TIER, filters, index, is_read=is_read, scored=False)


def _sorted(session: Session, query: Query) -> Iterator[ListSegment]:
    """Sort by a column: first what has a value, then what has none."""
    key, index, filters = _sort_key(query.sort), _sort_index(query.sort), _matching(query)
    values = _values(session, key, index) if query.descending else None
    if values is None:
        yield ListSegment(
            (*filters, key.is_not(None)),
            lambda place: place.sorted_by is not None,
            index,
            ("is_read", "tier", *DEFAULT_KEYS),
            key,
            query.descending,
            _reads(query),
        )
    for value in (*(values or ()), None):
        for is_read in _reads(query):
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
    """Look up a column's values, greatest first; None where they are too many.

    An index that goes upwards among equals cannot be walked downwards. Of many values each has
    few equals, which are soon sorted; few values can be walked one after the other.
    """
    if index not in FEW_VALUED:
        return None
    found: list[Any] = []
    for is_read in (False, True):
        greatest = _along(index, select(func.max(key)).select_from(EntryRow))
        greatest = greatest.where(EntryRow.is_read.is_(is_read), key.is_not(None))
        value = session.scalar(greatest)
        while value is not None and len(found) <= MOST_VALUES:
            found.append(value)
            value = session.scalar(greatest.where(key < literal(value, key.type)))
    return None if len(found) > MOST_VALUES else sorted(set(found), reverse=True)


def _of_few(query: Query, now: datetime, few: Clause) -> Iterator[ListSegment]:
    """Sort the few films of a search, which need no index."""
    clauses = (few, EntryRow.is_read.in_(_reads(query)), *_matching(query))
    keys = ("is_read", "tier", *DEFAULT_KEYS)
    if not query.sort:
        yield ListSegment(clauses, lambda _: True, None, keys, _rank(query, now))
        return
    key = _sort_key(query.sort)
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


def _rank(query: Query, now: datetime) -> Key:
    """Say what the default order asks first: past the cap, waiting, read."""
    waits = case((EntryRow.received_at <= now - query.waiting_cap, 0), else_=1)
    if query.state == "all":
        return case((EntryRow.is_read, 2), else_=waits)
    return literal(2) if query.state == "read" else waits


def _reads(query: Query) -> tuple[bool, ...]:
    """Say which of unread and read films the query is about, in the order of the list."""
    return (False, True) if query.state == "all" else (query.state == "read",)


def _sort_key(name: str) -> Key:
    """Give what a column is sorted by: its values, where their order is the one a person means."""
    if name == "priority":
        ranks = {Priority.LOW.value: 0, Priority.MEDIUM.value: 1, Priority.HIGH.value: 2}
        return case(ranks, value=type_coerce(EntryRow.priority, Text))
    if name == "patient_age":
        return EntryRow.patient_age_days.expression
    if name == "state":
        return type_coerce(EntryRow.state, Text)
    return _column(name)


def _column(name: str) -> Key:
    return EntryRow.__table__.columns[name]


def _order_index(query: Query) -> str:
    return REFUSED_INDEX if query.state == "needs_a_person" else ORDER_INDEX


def _sort_index(name: str) -> str | None:
    return SORT_INDEXES.get("patient_age_days" if name == "patient_age" else name)


def _along(index: str | None, statement: Statement) -> Statement:
    hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
    return statement.with_hint(EntryRow, hint, dialect_name="sqlite")
