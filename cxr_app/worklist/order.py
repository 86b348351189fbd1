"""The order of the list, cut into stretches that one index can walk.

The default order is no single sort: a film past the waiting cap jumps ahead, so a film's place
depends on the clock. But it is a fixed sequence of stretches (past the cap, tier 0; past the cap,
tier 1; ...), and within each the order is one that an index holds. A page walks the stretches one
after the other; a neighbour is the next key in its stretch, or the first of a later one. Nothing
is ever sorted or loaded as a whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    TextClause,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from cxr_app.outcome import Priority
from cxr_app.worklist.entry import Query
from cxr_app.worklist.tables import (
    ORDER_INDEX,
    REFUSED,
    REFUSED_INDEX,
    SHORT_ID_LENGTH,
    SORT_INDEXES,
    TIERS,
    UNSCORED,
    UNSCORED_INDEX,
    EntryRow,
    folded,
    short_id,
)

MAX_WORDS = 20
MAX_WORD_LENGTH = 200
FLAGGED_TIERS = range(3)

Clause = ColumnElement[bool] | TextClause
Key = ColumnElement[Any]
Statement = TypeVar("Statement", bound=Select[Any])

DEFAULT_KEYS = ("received_at", "descending_probability", "number")
"""What films of one tier are ordered by."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one film stands: what the stretches and keys ask of it."""

    is_read: bool
    tier: int
    received_at: datetime
    descending_probability: float
    number: int
    sorted_by: Any


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive films of the list: which, and how they are ordered.

    Parameters
    ----------
    clauses
        Which films belong, the query's filters included.
    holds
        Whether a film's place is in this stretch, its filters aside.
    index
        That SQLite is told to walk; None to look at every row. (It keeps no statistics to choose
        by; PostgreSQL chooses by itself.)
    keys
        Columns that order it: those of a place, all upwards. Nothing that is the same throughout,
        for PostgreSQL would not see that the index has this order.
    sort
        What comes before the keys; None for nothing.
    """

    clauses: tuple[Clause, ...]
    holds: Callable[[Place], bool]
    index: str | None
    keys: tuple[str, ...] = DEFAULT_KEYS
    sort: Key | None = None
    descending: bool = False

    def order(self, *, backwards: bool = False) -> list[Any]:
        """Give the ORDER BY, forwards or backwards."""
        keys = [key.desc() if backwards else key.asc() for key in map(_column, self.keys)]
        if self.sort is None:
            return keys
        downwards = self.descending != backwards
        return [self.sort.desc() if downwards else self.sort.asc(), *keys]

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


def stretches(query: Query, now: datetime) -> list[Stretch]:
    """Cut the query's list into stretches, first to last."""
    if not query.sort:
        return list(_in_default_order(query, now, _matching(query)))
    key = _sort_key(query.sort)
    belong = selected(query)
    index = _sort_index(query)
    keys = (*(["is_read"] if query.state == "all" else []), "tier", *DEFAULT_KEYS)
    return [
        Stretch(
            (*belong, key.is_not(None)),
            lambda place: place.sorted_by is not None,
            index,
            keys,
            key,
            query.descending,
        ),
        Stretch((*belong, key.is_(None)), lambda place: place.sorted_by is None, index, keys, key),
    ]


def _matching(query: Query) -> tuple[Clause, ...]:
    """Say which films the query is about, but for read or unread."""
    clauses: list[Clause] = []
    if query.state == "needs_a_person":
        clauses.append(REFUSED)
    if query.flag != "any":
        flagged = query.flag == "flagged"
        clauses.append(EntryRow.tier.in_(FLAGGED_TIERS) if flagged else EntryRow.flagged.is_(False))
    return (*clauses, *_search(query.text))


def selected(query: Query) -> tuple[Clause, ...]:
    """Say which films the query is about."""
    return (_is_read_as(query), *_matching(query))


def count(session: Session, query: Query) -> int:
    """Count the films that the query is about, on the narrowest index that knows the answer."""
    whole = not query.text and query.flag == "any" and query.state != "needs_a_person"
    index = SORT_INDEXES["received_at"] if whole else _order_index(query)
    return _size(session, selected(query), index)


def unscored() -> Select[EntryRow]:
    """Select what waits for a score, longest waiting first."""
    statement = _along(UNSCORED_INDEX, select(EntryRow)).where(UNSCORED)
    return statement.order_by(EntryRow.received_at, EntryRow.number)


def count_unscored(session: Session) -> int:
    """Count what waits for a score."""
    return _size(session, (UNSCORED,), UNSCORED_INDEX)


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
    """Give the keys of one page, in order, by walking the stretches."""
    found: list[int] = []
    for stretch in stretches(query, now):
        if len(found) == limit:
            break
        statement = _along(stretch.index, select(EntryRow.number))
        statement = statement.where(*stretch.clauses).order_by(*stretch.order())
        here = session.scalars(statement.limit(limit - len(found)).offset(offset)).all()
        found.extend(here)
        if here:
            offset = 0
        elif offset:  # the page begins behind this stretch, which therefore is no longer than that
            offset -= _size(session, stretch.clauses, stretch.index)
    return found


def neighbours(
    session: Session, query: Query, now: datetime, entry_id: str
) -> tuple[str | None, str | None] | None:
    """Give the ids before and after an entry, or None if there is no such entry."""
    place = _place(session, query, entry_id)
    if place is None:
        return None
    cuts = stretches(query, now)
    at = next(i for i, stretch in enumerate(cuts) if stretch.holds(place))
    before = _nearest(session, cuts[at], list(reversed(cuts[:at])), place, backwards=True)
    return before, _nearest(session, cuts[at], cuts[at + 1 :], place, backwards=False)


def _nearest(
    session: Session, home: Stretch, others: Sequence[Stretch], place: Place, *, backwards: bool
) -> str | None:
    tries: list[tuple[Stretch, Clause | None]] = [
        (home, beyond) for beyond in home.beyond(place, backwards=backwards)
    ]
    tries += [(other, None) for other in others]
    for stretch, beyond in tries:
        clauses = stretch.clauses if beyond is None else (*stretch.clauses, beyond)
        statement = _along(stretch.index, select(EntryRow.id)).where(*clauses)
        statement = statement.order_by(*stretch.order(backwards=backwards)).limit(1)
        found = session.scalar(statement)
        if found is not None:
            return found
    return None


def _place(session: Session, query: Query, entry_id: str) -> Place | None:
    """Find where an entry stands, or would stand if it still matched the query."""
    sort = _sort_key(query.sort) if query.sort else literal(None)
    statement = select(
        EntryRow.is_read,
        EntryRow.tier,
        EntryRow.received_at,
        EntryRow.descending_probability,
        EntryRow.number,
        sort,
    )
    row = session.execute(statement.where(EntryRow.id == entry_id)).one_or_none()
    if row is None:
        return None
    place = Place(*row)
    return place if query.state == "all" else replace(place, is_read=query.state == "read")


def _in_default_order(
    query: Query, now: datetime, filters: tuple[Clause, ...]
) -> Iterator[Stretch]:
    tiers = FLAGGED_TIERS if query.flag == "flagged" else TIERS
    index = _order_index(query)
    if query.state != "read":
        for past_cap in (True, False):
            for tier in tiers:
                yield _waiting(tier, now - query.waiting_cap, filters, index, past_cap=past_cap)
    if query.state in ("read", "all"):
        for tier in tiers:
            yield _already_read(tier, filters, index)


def _waiting(
    tier: int, cap: datetime, filters: tuple[Clause, ...], index: str, *, past_cap: bool
) -> Stretch:
    received_at = EntryRow.received_at
    return Stretch(
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


def _already_read(tier: int, filters: tuple[Clause, ...], index: str) -> Stretch:
    return Stretch(
        (EntryRow.is_read.is_(True), EntryRow.tier == tier, *filters),
        lambda place: place.is_read and place.tier == tier,
        index,
    )


def _is_read_as(query: Query) -> Clause:
    if query.state == "all":
        return EntryRow.is_read.in_((False, True))
    return EntryRow.is_read.is_(query.state == "read")


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


def _sort_index(query: Query) -> str | None:
    if query.state == "needs_a_person":
        return REFUSED_INDEX
    return None if query.state == "all" else SORT_INDEXES.get(query.sort)


def _along(index: str | None, statement: Statement) -> Statement:
    hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
    return statement.with_hint(EntryRow, hint, dialect_name="sqlite")


def _size(session: Session, clauses: tuple[Clause, ...], index: str | None) -> int:
    statement = select(func.count()).select_from(EntryRow)
    return session.scalar(_along(index, statement).where(*clauses)) or 0


def _search(text: str) -> tuple[Clause, ...]:
    """Every word must occur; a word that could be an entry's short id may also be that."""
    return tuple(_occurs(word[:MAX_WORD_LENGTH]) for word in folded(text).split()[:MAX_WORDS])


def _occurs(word: str) -> Clause:
    occurs = EntryRow.search_text.contains(word, autoescape=True)
    if len(word) < SHORT_ID_LENGTH or not set(word) <= _HEXADECIMAL:
        return occurs
    return or_(occurs, EntryRow.search_text.contains(short_id(word)))


_HEXADECIMAL = set("0123456789abcdef")
