"""Add readers' words that a picture is a frontal chest film, and the results on them."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, PRIORITY, STATE, TEXT

revision = "0016"
down_revision = "0015"

NAME = "worklist_attested_score"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("worklist_entry", sa.Column("attested_by", TEXT))
    op.add_column("worklist_entry", sa.Column("attested_at", sa.BigInteger()))
    op.add_column("worklist_entry", sa.Column("quarter_turns", sa.SmallInteger()))
    op.add_column("worklist_entry", sa.Column("mirrored", sa.Boolean()))
    _create_results()


def _create_results() -> None:
    op.create_table(
        NAME,
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("priority", PRIORITY, nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("activation_map", sa.LargeBinary()),
        sa.Column("activation_map_rows", sa.Integer()),
        sa.Column("activation_map_columns", sa.Integer()),
        sa.Column("heat_begin", sa.Float(precision=53)),
        sa.Column("heat_full", sa.Float(precision=53)),
        sa.Column("lung_mask", sa.LargeBinary()),
        sa.Column("lung_mask_rows", sa.Integer()),
        sa.Column("lung_mask_columns", sa.Integer()),
        sa.Column("lungs_found", sa.Boolean()),
        sa.Column("quarter_turns", sa.SmallInteger(), nullable=False),
        sa.Column("mirrored", sa.Boolean(), nullable=False),
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
            name=op.f(f"ck_{NAME}_model_version"),
        ),
        sa.CheckConstraint("(state = 'SCORED') = (reason IS NULL)", name=op.f(f"ck_{NAME}_reason")),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["worklist_entry.number"], name=op.f(f"fk_{NAME}_entry_number")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f(f"pk_{NAME}")),
        sa.UniqueConstraint(
            *("entry_number", "model_version", "quarter_turns", "mirrored"),
            name=op.f(f"uq_{NAME}_entry_number_model_version_quarter_turns_mirrored"),
        ),
    )
