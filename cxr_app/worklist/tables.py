"""The tables of the worklist and their indexes."""

from datetime import datetime
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cxr_app.outcome import Priority, ScoringState
from cxr_app.worklist.beginning import LONGEST
from cxr_app.worklist.column_types import (
    AnyText,
    FilePath,
    Moment,
    Parameters,
    RowNumber,
    Sentences,
)
from cxr_app.worklist.handover_columns import HandoverColumns, assigned_index
from cxr_app.worklist.job import JobState
from cxr_app.worklist.review import Cause, Verdict


def one_of(members: type[Enum], name: str) -> EnumType:
    """Return the type of a column that holds the names of an enumeration's members."""
    return EnumType(members, native_enum=False, create_constraint=True, length=16, name=name)


class Table(DeclarativeBase):
    """Base of all tables: constraints have names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Judgement:
    """The columns of a result of scoring; the newest one of a film is in its entry too."""

    reason: Mapped[str | None] = mapped_column(AnyText)
    model_version: Mapped[str | None] = mapped_column(AnyText)
    pneumonia_probability: Mapped[float | None] = mapped_column(Float(53))
    bacterial_probability: Mapped[float | None] = mapped_column(Float(53))
    viral_probability: Mapped[float | None] = mapped_column(Float(53))
    flagged: Mapped[bool | None]
    operating_point_name: Mapped[str | None] = mapped_column(AnyText)
    threshold: Mapped[float | None] = mapped_column(Float(53))


class HeaderFacts:
    """The columns of `Header`, by DICOM keyword."""

    has_header: Mapped[bool] = mapped_column(default=False)
    patient_id: Mapped[str | None] = mapped_column(AnyText)  # (0010,0020)
    issuer_of_patient_id: Mapped[str | None] = mapped_column(AnyText)  # (0010,0021)
    patient_name: Mapped[str | None] = mapped_column(AnyText)  # (0010,0010)
    patient_birth_date: Mapped[str | None] = mapped_column(AnyText)  # (0010,0030)
    patient_sex: Mapped[str | None] = mapped_column(AnyText)  # (0010,0040)
    patient_age: Mapped[str | None] = mapped_column(AnyText)  # (0010,1010)
    accession_number: Mapped[str | None] = mapped_column(AnyText)  # (0008,0050)
    study_date: Mapped[str | None] = mapped_column(AnyText)  # (0008,0020)
    study_time: Mapped[str | None] = mapped_column(AnyText)  # (0008,0030)
    acquisition_date_time: Mapped[str | None] = mapped_column(AnyText)  # (0008,002A)
    acquisition_date: Mapped[str | None] = mapped_column(AnyText)  # (0008,0022)
    acquisition_time: Mapped[str | None] = mapped_column(AnyText)  # (0008,0032)
    timezone_offset_from_utc: Mapped[str | None] = mapped_column(AnyText)  # (0008,0201)
    study_description: Mapped[str | None] = mapped_column(AnyText)  # (0008,1030)
    modality: Mapped[str | None] = mapped_column(AnyText)  # (0008,0060)
    body_part_examined: Mapped[str | None] = mapped_column(AnyText)  # (0018,0015)
    view_position: Mapped[str | None] = mapped_column(AnyText)  # (0018,5101)
    patient_orientation: Mapped[str | None] = mapped_column(AnyText)  # (0020,0020)
    institution_name: Mapped[str | None] = mapped_column(AnyText)  # (0008,0080)
    manufacturer: Mapped[str | None] = mapped_column(AnyText)  # (0008,0070)
    station_name: Mapped[str | None] = mapped_column(AnyText)  # (0008,1010)
    study_instance_uid: Mapped[str | None] = mapped_column(AnyText)  # (0020,000D)
    series_instance_uid: Mapped[str | None] = mapped_column(AnyText)  # (0020,000E)
    sop_instance_uid: Mapped[str | None] = mapped_column(AnyText)  # (0008,0018)
    sop_class_uid: Mapped[str | None] = mapped_column(AnyText)  # (0008,0016)
    image_type: Mapped[str | None] = mapped_column(AnyText)  # (0008,0008)
    photometric_interpretation: Mapped[str | None] = mapped_column(AnyText)  # (0028,0004)
    bits_stored: Mapped[str | None] = mapped_column(AnyText)  # (0028,0101)
    transfer_syntax: Mapped[str | None] = mapped_column(AnyText)  # (0002,0010)
    burned_in_annotation: Mapped[str | None] = mapped_column(AnyText)  # (0028,0301)


MAX_FACT_LENGTH = 400
"""Length of a header value, in characters: more than DICOM allows, less than an index can hold."""

REFUSED = text("state IN ('REJECTED', 'FAILED')")
UNSCORED = text("state IS NULL")
"""Written out, not as parameters: a partial index serves only exactly its own condition."""

PLACE = ("tier", "band", "waits_since", "descending_probability", "number")
REFUSED_INDEX, UNSCORED_INDEX = "ix_worklist_entry_refused", "ix_worklist_entry_unscored"
ORDER_INDEX, READ_AT_INDEX = "ix_worklist_entry_order", "ix_worklist_entry_read_at"
SCORED_AT_INDEX = "ix_worklist_entry_scored_at"
INSTANCE_INDEX = "ix_worklist_entry_sop_instance_uid"
STUDY_INDEX = "ix_worklist_entry_study_key"
SORT_INDEXES = {
    name: f"ix_worklist_entry_{name}"
    for name in (
        "received_at",
        "waits_since",
        "pneumonia_probability",
        "bacterial_probability",
        "state",
        "read_by",
        "patient_id",
        "patient_name",
        "patient_age_days",
        "patient_sex",
        "accession_number",
        "study_date",
        "view_position",
        "reason",
        "source",
    )
}
"""Indexes of the columns that have one to sort by; for others every row is read."""

UNBOUNDED = ("reason", "source")
"""Texts that may be too long for an index of PostgreSQL, which has their beginnings instead."""

TIERS = range(6)
FLAGGED_TIERS = range(3)
UNJUDGED_TIER = 4
NO_CHEST_BAND = 9
"""Band of what is no chest film, in the tier of films that no model has judged: read last."""


def tier(priority: Priority, *, flagged: bool | None) -> int:
    """Return the number that flag and priority are ordered by: flagged first, then HIGH to LOW.

    Films that no model has judged are with MEDIUM, not flagged: `UNJUDGED_TIER`.
    """
    return (0 if flagged else 3) + (Priority.HIGH, Priority.MEDIUM, Priority.LOW).index(priority)


def _sort_indexes(name: str) -> list[Index]:
    """Return a column's index: it also holds the order among equals, and the state to filter by."""
    index = Index(SORT_INDEXES[name], *dict.fromkeys(("is_read", name, *PLACE, "state")))
    if name not in UNBOUNDED:
        return [index]
    beginning = text(f"left({name}, {LONGEST})")
    of_beginnings = Index(SORT_INDEXES[name], "is_read", beginning, *PLACE, "state")
    return [index.ddl_if(dialect="sqlite"), of_beginnings.ddl_if(dialect="postgresql")]


class EntryRow(Judgement, HeaderFacts, HandoverColumns, Table):
    """One film. The columns from `is_read` on repeat others in a form that an index can order."""

    __tablename__ = "worklist_entry"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str | None] = mapped_column(AnyText)
    path: Mapped[Path] = mapped_column(FilePath)
    received_at: Mapped[datetime] = mapped_column(Moment)
    acquired_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[ScoringState | None] = mapped_column(one_of(ScoringState, "state"))
    priority: Mapped[Priority | None] = mapped_column(one_of(Priority, "priority"))
    scored_at: Mapped[datetime | None] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    read_by: Mapped[str | None] = mapped_column(AnyText)
    file_format: Mapped[str | None] = mapped_column(AnyText)
    rows: Mapped[int | None]  # (0028,0010)
    columns: Mapped[int | None]  # (0028,0011)
    remarks: Mapped[tuple[str, ...]] = mapped_column(Sentences, default=())
    arrival_remarks: Mapped[tuple[str, ...]] = mapped_column(
        Sentences, default=(), server_default="[]"
    )
    film_deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    attested_by: Mapped[str | None] = mapped_column(AnyText)
    attested_at: Mapped[datetime | None] = mapped_column(Moment)
    quarter_turns: Mapped[int | None] = mapped_column(SmallInteger)
    mirrored: Mapped[bool | None]

    is_read: Mapped[bool] = mapped_column(default=False)
    tier: Mapped[int] = mapped_column(SmallInteger, default=UNJUDGED_TIER)
    band: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    waits_since: Mapped[datetime] = mapped_column(Moment, server_default="0")
    descending_probability: Mapped[float] = mapped_column(Float(53), default=0.0)  # its negative
    patient_age_days: Mapped[int | None]
    needs_no_score: Mapped[bool] = mapped_column(default=False, server_default=false())
    study_key: Mapped[str | None] = mapped_column(String(32))
    search_text: Mapped[str] = mapped_column(AnyText, default="\n")

    __table_args__ = (
        CheckConstraint("(read_at IS NOT NULL) = is_read", "read"),
        CheckConstraint("(state IS NULL) = (scored_at IS NULL)", "scored"),
        CheckConstraint("tier BETWEEN 0 AND 5", "tier"),
        # Holds the state and the search text too, so that filters need not read the rows.
        Index(ORDER_INDEX, "is_read", *PLACE, "state", "search_text"),
        Index(REFUSED_INDEX, "is_read", *PLACE, sqlite_where=REFUSED, postgresql_where=REFUSED),
        Index(
            UNSCORED_INDEX,
            *("received_at", "number"),
            sqlite_where=UNSCORED,
            postgresql_where=UNSCORED,
        ),
        assigned_index(PLACE),
        Index(READ_AT_INDEX, "read_at", "received_at"),
        Index(SCORED_AT_INDEX, "scored_at"),
        Index(INSTANCE_INDEX, "sop_instance_uid"),
        Index(STUDY_INDEX, "study_key", "is_read", *PLACE, "needs_no_score", "state"),
        *chain.from_iterable(map(_sort_indexes, SORT_INDEXES)),
    )


class ScoringResult(Judgement):
    """The columns of one result in a film's history."""

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"))
    state: Mapped[ScoringState] = mapped_column(one_of(ScoringState, "state"))
    priority: Mapped[Priority] = mapped_column(one_of(Priority, "priority"))
    scored_at: Mapped[datetime] = mapped_column(Moment)
    activation_map: Mapped[bytes | None] = mapped_column(LargeBinary)  # little-endian float32
    activation_map_rows: Mapped[int | None]
    activation_map_columns: Mapped[int | None]
    heat_begin: Mapped[float | None] = mapped_column(Float(53))
    heat_full: Mapped[float | None] = mapped_column(Float(53))
    lung_mask: Mapped[bytes | None] = mapped_column(LargeBinary)  # bits, row by row
    lung_mask_rows: Mapped[int | None]
    lung_mask_columns: Mapped[int | None]
    lungs_found: Mapped[bool | None]


class ScoreRow(ScoringResult, Table):
    """One result in a film's history. A refusal has no model_version, so it may be repeated."""

    __tablename__ = "worklist_score"

    __table_args__ = (
        UniqueConstraint("entry_number", "model_version"),
        CheckConstraint("(state = 'SCORED') = (model_version IS NOT NULL)", "model_version"),
        CheckConstraint("(state = 'SCORED') = (reason IS NULL)", "reason"),
    )


class JobRow(Table):
    """One long-running job."""

    __tablename__ = "worklist_job"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    parameters: Mapped[dict[str, Any]] = mapped_column(Parameters)
    state: Mapped[JobState] = mapped_column(one_of(JobState, "state"))
    cancelling: Mapped[bool] = mapped_column(default=False)
    requested_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    heartbeat_at: Mapped[datetime | None] = mapped_column("heard_at", Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    host: Mapped[str | None] = mapped_column(AnyText)
    pid: Mapped[int | None]
    process_started: Mapped[float | None] = mapped_column(Float(53))
    progress: Mapped[str | None] = mapped_column(AnyText)  # `Progress` as JSON
    message: Mapped[str | None] = mapped_column(AnyText)


class PromotionRow(Table):
    """One change of the model in use; never changed. `replaces` is the number of the one before."""

    __tablename__ = "worklist_promotion"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    promoted_at: Mapped[datetime] = mapped_column(Moment)
    promoted_by: Mapped[str | None] = mapped_column(AnyText)
    sha256: Mapped[str | None] = mapped_column(String(64))
    model_version: Mapped[str | None] = mapped_column(AnyText)
    replaced_version: Mapped[str | None] = mapped_column(AnyText)
    replaces: Mapped[int] = mapped_column(RowNumber, unique=True)
    job_id: Mapped[str | None] = mapped_column(String(32))


class ClaimRow(Table):
    """The reader who has a film open, and until when unless renewed."""

    __tablename__ = "worklist_claim"

    entry_number: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("worklist_entry.number"), primary_key=True, autoincrement=False
    )
    reader: Mapped[str] = mapped_column(AnyText)
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)


class ReviewRow(Table):
    """One reader's review of a film, with the model's result at that moment; never changed."""

    __tablename__ = "worklist_review"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    entry_number: Mapped[int] = mapped_column(ForeignKey("worklist_entry.number"))
    reader: Mapped[str] = mapped_column(AnyText)
    reviewed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    verdict: Mapped[Verdict | None] = mapped_column(one_of(Verdict, "verdict"))
    cause: Mapped[Cause | None] = mapped_column(one_of(Cause, "cause"))
    comment: Mapped[str | None] = mapped_column(AnyText)
    heat_seen: Mapped[bool]
    model_version: Mapped[str | None] = mapped_column(AnyText)
    flagged: Mapped[bool | None]
    pneumonia_probability: Mapped[float | None] = mapped_column(Float(53))
    threshold: Mapped[float | None] = mapped_column(Float(53))
    takes_back: Mapped[int | None] = mapped_column(BigInteger)  # the number of a verdict
    settles: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (Index(None, "entry_number", "number"),)


class EventRow(Table):
    """One action of a reader or of the program that must be known later; never changed."""

    __tablename__ = "worklist_event"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(Moment)
    kind: Mapped[str] = mapped_column(String(32))
    reader: Mapped[str] = mapped_column(AnyText)
    entry_number: Mapped[int | None] = mapped_column(ForeignKey("worklist_entry.number"))
    detail: Mapped[str | None] = mapped_column(AnyText)


class SecretRow(Table):
    """A secret that all servers of a worklist share."""

    __tablename__ = "worklist_secret"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
