"""Add the files of a folder that hold a film which the worklist has already."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER

revision = "0017"
down_revision = "0016"

NAME = "worklist_further_file"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        NAME,
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f(f"pk_{NAME}")),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["worklist_entry.number"], name=op.f(f"fk_{NAME}_entry_number")
        ),
    )
    op.create_index(f"ix_{NAME}_entry_number", NAME, ["entry_number"])
