"""The tables of retention: the last sweep, and the films marked for deletion."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import Moment, RowNumber
from cxr_app.worklist.tables import Table


class SweepRow(Table):
    """The last retention sweep: one row."""

    __tablename__ = "worklist_sweep"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    swept_at: Mapped[datetime] = mapped_column(Moment)


class MarkRow(Table):
    """A film that is to be deleted because its retention time has ended."""

    __tablename__ = "worklist_mark"

    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"), primary_key=True)
    marked_at: Mapped[datetime] = mapped_column(Moment)
