"""The columns of an entry that readers hand to each other: urgency and assignment."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment

URGENT_SHIFT = 10
"""An urgent film's band is less by this, so that the order's indexes have it before the others."""

ASSIGNED_INDEX = "ix_worklist_entry_assigned"
ASSIGNED = text("assigned_to IS NOT NULL")


class HandoverColumns:
    """Who marked a film as urgent, and who is to read it."""

    urgent_by: Mapped[str | None] = mapped_column(AnyText)
    urgent_at: Mapped[datetime | None] = mapped_column(Moment)
    urgent_reason: Mapped[str | None] = mapped_column(AnyText)
    assigned_to: Mapped[str | None] = mapped_column(AnyText)
    assigned_by: Mapped[str | None] = mapped_column(AnyText)
    assigned_at: Mapped[datetime | None] = mapped_column(Moment)


def assigned_index(place: tuple[str, ...]) -> Index:
    """Return the index that has each reader's films in the default order."""
    columns = ("assigned_to", "is_read", *place, "state")
    return Index(ASSIGNED_INDEX, *columns, sqlite_where=ASSIGNED, postgresql_where=ASSIGNED)
