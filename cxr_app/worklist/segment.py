"""One segment of the list: consecutive films in an order that an index holds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    TextClause,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from cxr_app.worklist.tables import EntryRow

Clause = ColumnElement[bool] | TextClause
Key = ColumnElement[Any]
Statement = TypeVar("Statement", bound=Select[Any])

BAND_KEYS = ("waits_since", "descending_probability", "number")
"""Columns that films of one band of one tier are ordered by."""
DEFAULT_KEYS = ("band", *BAND_KEYS)
"""Columns that films of one tier are ordered by."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one film in the list: the values that segments and keys compare."""

    is_read: bool
    is_scored: bool
    tier: int
    band: int
    waits_since: datetime
    descending_probability: float
    number: int
    sorted_by: Any


@dataclass(frozen=True, slots=True)
class ListSegment:
    """Consecutive films of the list: their conditions and their order.

    Parameters
    ----------
    clauses
        Conditions of its films, the query's filters included.
    holds
        Whether a film's place is in this segment, filters aside.
    index
        Index that SQLite has to use; None to read every row, or those that a search names.
        (SQLite has no statistics to choose by; PostgreSQL chooses by itself.)
    keys
        Columns that order it, all ascending. Columns with one value throughout are left out, for
        PostgreSQL would not see that the index has this order. If it has read and unread films,
        `is_read` is the first.
    sort
        Expression that orders it before the keys; None if there is none.
    halves
        For an index that begins with `is_read`: the values of it that are merged.
    cuts_halves
        Whether each half is sorted and cut off by itself, for PostgreSQL would sort all of both.
    """

    clauses: tuple[Clause, ...]
    holds: Callable[[Place], bool]
    index: str | None
    keys: tuple[str, ...] = DEFAULT_KEYS
    sort: Key | None = None
    descending: bool = False
    halves: tuple[bool, ...] = ()
    cuts_halves: bool = False

    def walk(
        self, wanted: Key, *beyond: Clause, limit: int, offset: int = 0, backwards: bool = False
    ) -> Select[Any] | CompoundSelect[Any]:
        """Return a select of one column of its films in order, forwards or backwards."""
        statement = along(self.index, select(wanted)).where(*self.clauses, *beyond)
        if len(self.halves) > 1:
            both = self._merged(statement, limit + offset, backwards=backwards)
            return both.limit(limit).offset(offset)
        statement = statement.where(*(EntryRow.is_read.is_(each) for each in self.halves))
        statement = statement.order_by(*self._order(self._columns(), backwards=backwards))
        return statement.limit(limit).offset(offset)

    def size(self, at_most: int) -> Select[int]:
        """Return a select of the number of its films, which are counted as far as `at_most`."""
        among = (EntryRow.is_read.in_(self.halves),) if self.halves else ()
        films = along(self.index, select(EntryRow.number)).where(*self.clauses, *among)
        return select(func.count()).select_from(films.limit(at_most).subquery())

    def _merged(
        self, statement: Select[Any], reach: int, *, backwards: bool
    ) -> CompoundSelect[Any]:
        """Return the halves of a select in their common order, each as far as `reach`."""
        named = [column.label(f"by_{n}") for n, column in enumerate(self._columns())]
        halves = [statement.add_columns(*named).where(EntryRow.is_read.is_(h)) for h in self.halves]
        if self.cuts_halves:
            order = self._order(self._columns(), backwards=backwards)
            del order[0 if self.sort is None else 1]  # `is_read`, which has one value in a half
            halves = [half.order_by(*order).limit(reach) for half in halves]
        both = union_all(*halves)
        return both.order_by(*self._order(list(both.selected_columns)[1:], backwards=backwards))

    def _columns(self) -> list[Key]:
        return [*([] if self.sort is None else [self.sort]), *map(column_named, self.keys)]

    def _order(self, columns: Sequence[Key], *, backwards: bool) -> list[Any]:
        """Return the order by columns: all ascending, but `sort` in its own direction."""
        first = backwards if self.sort is None else self.descending != backwards
        ways = [first, *[backwards] * (len(columns) - 1)]
        return [key.desc() if down else key.asc() for key, down in zip(columns, ways, strict=True)]

    def beyond(self, place: Place, *, backwards: bool = False) -> Iterator[Clause]:
        """Yield conditions for the films after (or before) a place here, nearest first."""
        among_equals = list(self._among_equals(place, backwards=backwards))
        if self.index is None:  # all its films are read in any case: once is enough
            among_equals = [or_(*among_equals)]
        if self.sort is None or place.sorted_by is None:  # all are equal here
            yield from among_equals
            return
        value = literal(place.sorted_by, self.sort.type)
        yield from (and_(self.sort == value, each) for each in among_equals)
        yield self.sort < value if self.descending != backwards else self.sort > value

    def _among_equals(self, place: Place, *, backwards: bool) -> Iterator[Clause]:
        """Yield the conditions by `keys` alone.

        Keys with few values are compared one by one: of several at once, PostgreSQL takes the films
        that are equal in the first one for none, and then reads a million of them.
        """
        few = [
            (column_named(name), _value(place, name)) for name in self.keys if name not in BAND_KEYS
        ]
        equal = [key == value for key, value in few]
        here = tuple_(*map(column_named, BAND_KEYS))
        there = tuple_(*(_value(place, name) for name in BAND_KEYS))
        yield and_(*equal, here < there if backwards else here > there)
        for at, (key, value) in reversed(list(enumerate(few))):
            yield and_(*equal[:at], key < value if backwards else key > value)


def _value(place: Place, name: str) -> Key:
    return literal(getattr(place, name), column_named(name).type)


def column_named(name: str) -> Key:
    """Return a column of the entries."""
    return EntryRow.__table__.columns[name]


def along(index: str | None, statement: Statement) -> Statement:
    """Make SQLite use this index of the entries, or none."""
    hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
    return statement.with_hint(EntryRow, hint, dialect_name="sqlite")
