"""The tables of films that come over the network: their files, and their senders."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, FilePath, Moment, RowNumber
from cxr_app.worklist.tables import Table


class InstanceRow(Table):
    """One file of a DICOM film, as received; a film sent in two transfer syntaxes has two."""

    __tablename__ = "worklist_instance"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))  # of the file
    dataset_sha256: Mapped[str] = mapped_column(String(64), unique=True)  # without its meta header
    path: Mapped[Path] = mapped_column(FilePath)


class PeerRow(Table):
    """One peer that has sent films, and what became of them."""

    __tablename__ = "worklist_peer"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    ae_title: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    films: Mapped[int] = mapped_column(BigInteger, default=0)
    repeated: Mapped[int] = mapped_column(BigInteger, default=0)
    own_results: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    film_at: Mapped[datetime | None] = mapped_column(Moment)
    refused_at: Mapped[datetime | None] = mapped_column(Moment)
    refusal: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (UniqueConstraint("ae_title", "address"),)
