"""Films of one study: which of them stands for it in a list, and which others there are.

A list by study shows, of each study, the film that comes first in default order among those that
match the query. So no film that matches is hidden behind one that does not, and a study is as
urgent as its most urgent film. Nothing of this is stored: it is found anew by one look-up in an
index for each film that is listed.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, case, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from cxr_app.worklist.entry import Entry, Query
from cxr_app.worklist.filters import filters_of, read_values
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.segment import Clause, along
from cxr_app.worklist.study_key import study_key
from cxr_app.worklist.tables import NO_CHEST_BAND, STUDY_INDEX, EntryRow
from cxr_app.worklist.transactions import Transactions

MOST_SHOWN = 50
"""Largest number of films of one study that are shown beside a film."""

_ID: BindParameter[str] = bindparam("entry_id")
_OTHERS = (  # built once: to build it takes longer than to run it
    along(STUDY_INDEX, select(EntryRow))
    .where(
        EntryRow.study_key == select(EntryRow.study_key).where(EntryRow.id == _ID).scalar_subquery()
    )
    .where(EntryRow.id != _ID)
    .order_by(EntryRow.waits_since, EntryRow.number)
    .limit(MOST_SHOWN)
)


class Studies(Transactions):
    """Films by the study that they belong to."""

    def others(self, entry_id: str) -> list[Entry]:
        """Return the other films of a film's study, as taken; at most `MOST_SHOWN`."""
        with self._database.reading() as session:
            return [as_entry(row) for row in session.scalars(_OTHERS, {"entry_id": entry_id})]

    def views(self, entries: Iterable[Entry]) -> dict[str, list[str]]:
        """Return the views of all films of each film's study, by the id of the film's entry.

        Parameters
        ----------
        entries
            With their headers unmasked.

        Returns
        -------
        dict of str to list of str
            (0018,5101) *View Position* of each film of the study, empty where it is unknown. Films
            without a study are left out.
        """
        keys = {entry.id: study_key(entry.header) for entry in entries}
        statement = select(EntryRow.study_key, EntryRow.view_position)
        statement = statement.where(EntryRow.study_key.in_(set(keys.values()) - {None}))
        statement = statement.order_by(EntryRow.needs_no_score, EntryRow.view_position)
        found: dict[str | None, list[str]] = defaultdict(list)
        with self._database.reading() as session:
            for key, view in session.execute(statement):
                found[key].append(view or "")
        return {entry_id: found[key] for entry_id, key in keys.items() if key in found}


def list_filters(query: Query, now: datetime) -> tuple[Clause, ...]:
    """Return all conditions of a list apart from read or unread, those of studies included."""
    filters = filters_of(query)
    return (*filters, _stands_for_its_study(query, now)) if query.by_study else filters


def standing_for(session: Session, query: Query, now: datetime, entry_id: str) -> str:
    """Return the id of the film that stands in the list for a film's study.

    It is the film itself if the list is not by study, or if the film is not in the list.
    """
    if not query.by_study:
        return entry_id
    conditions = (EntryRow.is_read.in_(read_values(query)), *filters_of(query))
    key = select(EntryRow.study_key).where(EntryRow.id == entry_id, *conditions).scalar_subquery()
    first = along(STUDY_INDEX, select(EntryRow.id)).where(EntryRow.study_key == key, *conditions)
    found = session.scalar(first.order_by(*_urgency(EntryRow, query, now)).limit(1))
    return found or entry_id


def _stands_for_its_study(query: Query, now: datetime) -> Clause:
    """Return the condition that no film of the same study matches and comes before this one."""
    other = aliased(EntryRow, name="other")
    before = (
        select(literal(1))
        .select_from(other)
        .with_hint(other, f"INDEXED BY {STUDY_INDEX}", dialect_name="sqlite")
        .where(
            other.study_key == EntryRow.study_key,
            other.is_read.in_(read_values(query)),
            *filters_of(query, other),
            tuple_(*_urgency(other, query, now)) < tuple_(*_urgency(EntryRow, query, now)),
        )
        # PostgreSQL would read the whole table for EXISTS; this it asks for each film.
        .limit(1)
        .correlate(EntryRow)
        .scalar_subquery()
    )
    return or_(EntryRow.study_key.is_(None), before.is_(None))


def _urgency(film: type[EntryRow], query: Query, now: datetime) -> tuple[Any, ...]:
    """Return what films of one study are ordered by: the default order of the list.

    A view that needs no score comes after the films that do, and what is no chest film last.
    """
    return (
        film.is_read,
        case(
            (film.band < 0, 0),  # marked as urgent
            (film.band == NO_CHEST_BAND, 2),
            (film.needs_no_score, 1),
            else_=0,
        ),
        case(
            (film.is_read, 1),
            (film.band < 0, -1),
            (film.waits_since <= now - query.waiting_cap, 0),
            else_=1,
        ),
        film.tier,
        film.band,
        film.waits_since,
        film.descending_probability,
        film.number,
    )
