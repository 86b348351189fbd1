"""The tables of what goes out: archives, and the objects on their way to them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.destination import ResultKind
from cxr_app.worklist.column_types import AnyText, Moment, RowNumber
from cxr_app.worklist.outgoing import OutgoingState
from cxr_app.worklist.tables import Table, one_of

OUTGOING_INDEX = "ix_worklist_outgoing_due"


class ArchiveRow(Table):
    """An archive that results are sent to."""

    __tablename__ = "worklist_archive"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    reached_at: Mapped[datetime | None] = mapped_column(Moment)
    held_at: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None] = mapped_column(AnyText)


class OutgoingRow(Table):
    """One object of a film's result for one archive."""

    __tablename__ = "worklist_outgoing"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"))
    destination: Mapped[str] = mapped_column(String(300))
    kind: Mapped[ResultKind] = mapped_column(one_of(ResultKind, "kind"))
    scored_at: Mapped[datetime] = mapped_column(Moment)
    predecessor_scored_at: Mapped[datetime | None] = mapped_column(Moment)
    model_version: Mapped[str] = mapped_column(AnyText)
    state: Mapped[OutgoingState] = mapped_column(one_of(OutgoingState, "state"))
    tries: Mapped[int]
    requested_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    claim: Mapped[str | None] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (
        UniqueConstraint("entry_number", "destination", "kind", "scored_at"),
        Index(OUTGOING_INDEX, "destination", "state", "due_at", "number"),
    )
