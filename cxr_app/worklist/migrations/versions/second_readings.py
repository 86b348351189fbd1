"""Add second readings, and the mark of a verdict that settles what readers differ in."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0024"
down_revision = "0028"

NAME = "worklist_second_reading"


def upgrade() -> None:
    """Create the table, and add the column."""
    settles: sa.Column[bool] = sa.Column(
        "settles", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("worklist_review", settles)
    op.create_table(
        NAME,
        sa.Column("entry_number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("first_reader", TEXT),
        sa.Column("asked_by", TEXT),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('UNREAD', 'WAITING', 'AGREED', 'DISAGREED', 'SETTLED')",
            name=op.f("ck_worklist_second_reading_state"),
        ),
        sa.CheckConstraint(
            "reason IN ('ASKED', 'RULE')", name=op.f("ck_worklist_second_reading_reason")
        ),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_second_reading_entry_number"),
        ),
        sa.PrimaryKeyConstraint("entry_number", name=op.f("pk_worklist_second_reading")),
    )
    op.create_index("ix_worklist_second_reading_state", NAME, ["state", "entry_number"])
