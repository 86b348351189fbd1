"""The tables of films that are fetched from an archive: ahead of a reader, and by C-MOVE."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment
from cxr_app.worklist.prefetch import PrefetchState
from cxr_app.worklist.tables import Table, one_of

PREFETCH_INDEX = "ix_worklist_prefetch_due"


class PrefetchRow(Table):
    """A flagged film whose patient's earlier films are fetched before a reader asks."""

    __tablename__ = "worklist_prefetch"

    entry_number: Mapped[int] = mapped_column(
        ForeignKey("worklist_entry.number"), primary_key=True, autoincrement=False
    )
    state: Mapped[PrefetchState] = mapped_column(one_of(PrefetchState, "state"))
    tries: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(Moment)
    films: Mapped[int]
    claim: Mapped[str | None] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (Index(PREFETCH_INDEX, "state", "due_at", "entry_number"),)


class FilmRequestRow(Table):
    """A film that an archive was asked to send to the receiver, and for which film's patient."""

    __tablename__ = "worklist_film_request"

    sop_instance_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_number: Mapped[int] = mapped_column(
        ForeignKey("worklist_entry.number"), primary_key=True, autoincrement=False
    )
    requested_at: Mapped[datetime] = mapped_column(Moment)
