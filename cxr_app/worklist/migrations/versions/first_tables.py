"""Add entries and the history of their results."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(
    sa.Text(collation="C"), "postgresql"
)  # sorted by code point everywhere
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATE = sa.Enum(
    *("SCORED", "REJECTED", "FAILED"),
    name="state",
    native_enum=False,
    create_constraint=True,
    length=16,
)
PRIORITY = sa.Enum(
    *("HIGH", "MEDIUM", "LOW"),
    name="priority",
    native_enum=False,
    create_constraint=True,
    length=16,
)
REFUSED = sa.text("state IN ('REJECTED', 'FAILED')")
UNSCORED = sa.text("state IS NULL")


def upgrade() -> None:
    """Create both tables."""
    _create_entries()
    _create_scores()


def _create_entries() -> None:
    op.create_table(
        "worklist_entry",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source", TEXT),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", STATE),
        sa.Column("priority", PRIORITY),
        sa.Column("scored_at", sa.BigInteger()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("file_format", TEXT),
        sa.Column("rows", sa.Integer()),
        sa.Column("columns", sa.Integer()),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("descending_probability", sa.Float(precision=53), nullable=False),
        sa.Column("patient_age_days", sa.Integer()),
        sa.Column("search_text", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("model_version", TEXT),
        sa.Column("pneumonia_probability", sa.Float(precision=53)),
        sa.Column("bacterial_probability", sa.Float(precision=53)),
        sa.Column("viral_probability", sa.Float(precision=53)),
        sa.Column("flagged", sa.Boolean()),
        sa.Column("operating_point_name", TEXT),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.Column("has_header", sa.Boolean(), nullable=False),
        sa.Column("patient_id", TEXT),
        sa.Column("patient_name", TEXT),
        sa.Column("patient_birth_date", TEXT),
        sa.Column("patient_sex", TEXT),
        sa.Column("patient_age", TEXT),
        sa.Column("accession_number", TEXT),
        sa.Column("study_date", TEXT),
        sa.Column("study_time", TEXT),
        sa.Column("study_description", TEXT),
        sa.Column("modality", TEXT),
        sa.Column("body_part_examined", TEXT),
        sa.Column("view_position", TEXT),
        sa.Column("patient_orientation", TEXT),
        sa.Column("institution_name", TEXT),
        sa.Column("manufacturer", TEXT),
        sa.Column("study_instance_uid", TEXT),
        sa.Column("series_instance_uid", TEXT),
        sa.Column("sop_instance_uid", TEXT),
        sa.Column("sop_class_uid", TEXT),
        sa.Column("image_type", TEXT),
        sa.Column("photometric_interpretation", TEXT),
        sa.Column("bits_stored", TEXT),
        sa.Column("transfer_syntax", TEXT),
        sa.Column("burned_in_annotation", TEXT),
        sa.CheckConstraint("(read_at IS NOT NULL) = is_read", name=op.f("ck_worklist_entry_read")),
        sa.CheckConstraint(
            "(state IS NULL) = (scored_at IS NULL)", name=op.f("ck_worklist_entry_scored")
        ),
        sa.CheckConstraint("tier BETWEEN 0 AND 5", name=op.f("ck_worklist_entry_tier")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_worklist_entry_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_worklist_entry_sha256")),
    )
    table, place = "worklist_entry", ["tier", "received_at", "descending_probability", "number"]
    op.create_index("ix_worklist_entry_order", table, ["is_read", *place, "flagged", "search_text"])
    op.create_index(
        "ix_worklist_entry_refused",
        table,
        ["is_read", *place],
        sqlite_where=REFUSED,
        postgresql_where=REFUSED,
    )
    op.create_index(
        "ix_worklist_entry_unscored",
        table,
        ["received_at", "number"],
        sqlite_where=UNSCORED,
        postgresql_where=UNSCORED,
    )
    op.create_index(
        "ix_worklist_entry_received_at",
        table,
        ["is_read", "received_at", "tier", "descending_probability", "number"],
    )
    for name in (
        *("pneumonia_probability", "patient_id", "patient_name"),
        *("accession_number", "study_date"),
    ):
        op.create_index(f"ix_worklist_entry_{name}", table, ["is_read", name, *place])


def _create_scores() -> None:
    op.create_table(
        "worklist_score",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("priority", PRIORITY, nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("activation_map", sa.LargeBinary()),
        sa.Column("activation_map_rows", sa.Integer()),
        sa.Column("activation_map_columns", sa.Integer()),
        sa.Column("reason", TEXT),
        sa.Column("model_version", TEXT),
        sa.Column("pneumonia_probability", sa.Float(precision=53)),
        sa.Column("bacterial_probability", sa.Float(precision=53)),
        sa.Column("viral_probability", sa.Float(precision=53)),
        sa.Column("flagged", sa.Boolean()),
        sa.Column("operating_point_name", TEXT),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.CheckConstraint(
            "(state = 'SCORED') = (model_version IS NOT NULL)",
            name=op.f("ck_worklist_score_model_version"),
        ),
        sa.CheckConstraint(
            "(state = 'SCORED') = (reason IS NULL)", name=op.f("ck_worklist_score_reason")
        ),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["worklist_entry.number"], name=op.f("fk_worklist_score_entry_number")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_score")),
        sa.UniqueConstraint(
            "entry_number",
            "model_version",
            name=op.f("uq_worklist_score_entry_number_model_version"),
        ),
    )
