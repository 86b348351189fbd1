"""Add marks on films: lengths, angles, cardiothoracic ratios."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0020"
down_revision = "0018"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "worklist_annotation",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("unit", TEXT),
        sa.Column("basis", TEXT),
        sa.Column("pose", sa.String(2), nullable=False),
        sa.Column("taken_back_by", TEXT),
        sa.Column("taken_back_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_annotation_entry_number"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_annotation")),
    )
    op.create_index("ix_worklist_annotation_entry_number", "worklist_annotation", ["entry_number"])
