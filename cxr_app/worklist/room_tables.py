"""The tables of the reading room: notes to the next reader, and saved views of the list."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment, Parameters, RowNumber
from cxr_app.worklist.tables import Table


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
