"""The table of archives that a person has entered, beside those of the settings."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment
from cxr_app.worklist.tables import Table


class DestinationRow(Table):
    """An archive that results are sent to, as a person wrote it."""

    __tablename__ = "worklist_destination"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    written: Mapped[str] = mapped_column(AnyText)
    added_at: Mapped[datetime] = mapped_column(Moment)
    added_by: Mapped[str | None] = mapped_column(AnyText)
