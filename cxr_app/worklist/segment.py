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
        PostgreSQL would not see that the index has this order.
    sort
        Expression that orders it before the keys; None if there is none.
    halves
        For an index that begins with `is_read`: the values of it that are merged.
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
        """Return a select of one column of its films in order, forwards or backwards."""
        if not self.halves:
            statement = along(self.index, select(wanted)).where(*self.clauses, *beyond)
            return statement.order_by(*self._order(self._columns(), backwards=backwards))
        named = [column.label(f"by_{n}") for n, column in enumerate(self._columns())]
        half = along(self.index, select(wanted.label("wanted"), *named))
        half = half.where(*self.clauses, *beyond)
        both = union_all(*(half.where(EntryRow.is_read.is_(each)) for each in self.halves))
        return both.order_by(*self._order(list(both.selected_columns)[1:], backwards=backwards))

    def size(self) -> Select[int]:
        """Return a select of the number of its films."""
        statement = select(func.count()).select_from(EntryRow)
        among = (EntryRow.is_read.in_(self.halves),) if self.halves else ()
        return along(self.index, statement).where(*self.clauses, *among)

    def _columns(self) -> list[Key]:
        return [*([] if self.sort is None else [self.sort]), *map(column_named, self.keys)]

    def _order(self, columns: Sequence[Key], *, backwards: bool) -> list[Any]:
        """Return the order by columns: all ascending, but `sort` in its own direction."""
        first = backwards if self.sort is None else self.descending != backwards
        ways = [first, *[backwards] * (len(columns) - 1)]
        return [key.desc() if down else key.asc() for key, down in zip(columns, ways, strict=True)]

    def beyond(self, place: Place, *, backwards: bool = False) -> Iterator[Clause]:
        """Yield conditions for the films after (or before) a place here, nearest first."""
        here = tuple_(*map(column_named, self.keys))
        there = tuple_(*(literal(getattr(place, key), column_named(key).type) for key in self.keys))
        among_equals = here < there if backwards else here > there
        if self.sort is None or place.sorted_by is None:  # all are equal here
            yield among_equals
            return
        value = literal(place.sorted_by, self.sort.type)
        yield and_(self.sort == value, among_equals)
        yield self.sort < value if self.descending != backwards else self.sort > value


def column_named(name: str) -> Key:
    """Return a column of the entries."""
    return EntryRow.__table__.columns[name]


def along(index: str | None, statement: Statement) -> Statement:
    """Make SQLite use this index of the entries, or none."""
    hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
    return statement.with_hint(EntryRow, hint, dialect_name="sqlite")
