"""Films that arrive: their new entries, and times of arrival that a wrong clock gave."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from cxr_app.worklist.locking import locked_entries
from cxr_app.worklist.mapping import receive_again
from cxr_app.worklist.search_text import search_text
from cxr_app.worklist.tables import UNJUDGED_TIER, EntryRow

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of several servers may be apart."""

_END_LATE_ARRIVALS = (
    update(EntryRow)
    .where(~EntryRow.is_read, EntryRow.received_at > bindparam("latest"))
    .values(received_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


def end_arrivals_in_the_future(session: Session, now: datetime) -> None:
    """Set the arrival of unread films that lies in the future to now.

    A clock that was ahead when they came would put them behind all others until it is true again.
    """
    session.execute(_END_LATE_ARRIVALS, {"latest": now + TOLERANCE, "now": now})


def new_entry(sha256: str, source: str, path: Path, received_at: datetime) -> dict[str, Any]:
    """Return the column values of a new entry."""
    entry_id = uuid4().hex
    return {
        "id": entry_id,
        "sha256": sha256,
        "source": source,
        "path": path,
        "received_at": received_at,
        "waits_since": received_at,
        "search_text": search_text(entry_id, source),
        "is_read": False,
        "has_header": False,
        "tier": UNJUDGED_TIER,
        "band": 0,
        "descending_probability": 0.0,
    }


def insert_film(
    session: Session, insert: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[str, bool]:
    """Insert a new entry; if the film has one, that gets the new path, and comes back if deleted.

    Parameters
    ----------
    insert
        As `Database` has it.
    values
        As `new_entry` returns them.

    Returns
    -------
    tuple of str and bool
        The entry's id, and whether it is new or has come back.
    """
    created: str | None = session.scalar(_insertion(insert), values)
    if created is not None:
        return created, True
    # Locked, so that a deletion has either happened or will find the film unread.
    (entry,) = locked_entries(session, EntryRow.sha256 == values["sha256"])
    is_back = entry.film_deleted_at is not None
    entry.path = values["path"]
    if is_back:
        receive_again(entry, values["source"], values["path"], values["received_at"])
    return entry.id, is_back


@cache
def _insertion(insert: Callable[..., Any]) -> Any:
    """Return the statement that inserts an entry; to build it takes longer than to run it."""
    entries: Table = EntryRow.__table__  # type: ignore[assignment]
    statement = insert(entries).on_conflict_do_nothing(index_elements=["sha256"])
    return statement.returning(entries.c.id)
