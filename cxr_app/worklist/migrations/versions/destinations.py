"""Add the archives that a person has entered."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import TEXT

revision = "0028"
down_revision = "0025"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "worklist_destination",
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("written", TEXT, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", TEXT),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worklist_destination")),
    )
