"""Add the time of the last retention sweep, and the films marked for deletion."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "worklist_sweep",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("swept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_sweep")),
    )
    op.create_table(
        "worklist_mark",
        sa.Column("entry_number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("marked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["worklist_entry.number"], name=op.f("fk_worklist_mark_entry_number")
        ),
        sa.PrimaryKeyConstraint("entry_number", name=op.f("pk_worklist_mark")),
    )
