"""The tables of the reading room: notes, marks, saved views of the list, second readings."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment, Parameters, RowNumber
from cxr_app.worklist.second_reading import SecondReadingReason, SecondReadingState
from cxr_app.worklist.tables import Table, one_of


class NoteRow(Table):
    """One note on a film to its next reader."""

    __tablename__ = "worklist_note"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"), index=True)
    reader: Mapped[str] = mapped_column(AnyText)
    written_at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(AnyText)
    settled_by: Mapped[str | None] = mapped_column(AnyText)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)


class AnnotationRow(Table):
    """One mark on a film; points are fractions of its width and height."""

    __tablename__ = "worklist_annotation"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"), index=True)
    reader: Mapped[str] = mapped_column(AnyText)
    made_at: Mapped[datetime] = mapped_column(Moment)
    kind: Mapped[str] = mapped_column(String(16))
    points: Mapped[dict[str, Any]] = mapped_column(Parameters)
    value: Mapped[float] = mapped_column(Float(53))
    unit: Mapped[str | None] = mapped_column(AnyText)
    basis: Mapped[str | None] = mapped_column(AnyText)
    pose: Mapped[str] = mapped_column(String(2))
    taken_back_by: Mapped[str | None] = mapped_column(AnyText)
    taken_back_at: Mapped[datetime | None] = mapped_column(Moment)


class SavedViewRow(Table):
    """A reader's own view of the list: filters, order and columns under a name."""

    __tablename__ = "worklist_saved_view"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    reader: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    saved_at: Mapped[datetime] = mapped_column(Moment)
    parameters: Mapped[dict[str, Any]] = mapped_column(Parameters)

    __table_args__ = (UniqueConstraint("reader", "name"),)


class SecondReadingRow(Table):
    """The second reading of a film; its state repeats what the reviews say, to be listed by."""

    __tablename__ = "worklist_second_reading"

    entry_number: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("worklist_entry.number"), primary_key=True, autoincrement=False
    )
    state: Mapped[SecondReadingState] = mapped_column(one_of(SecondReadingState, "state"))
    reason: Mapped[SecondReadingReason] = mapped_column(one_of(SecondReadingReason, "reason"))
    first_reader: Mapped[str | None] = mapped_column(AnyText)
    asked_by: Mapped[str | None] = mapped_column(AnyText)
    begun_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[int] = mapped_column(BigInteger)  # number of a review

    __table_args__ = (Index("ix_worklist_second_reading_state", "state", "entry_number"),)
