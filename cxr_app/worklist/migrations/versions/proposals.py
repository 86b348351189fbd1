"""Add models proposed by one person for another to promote."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0022"
down_revision = "0017"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "worklist_proposal",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_proposal")),
    )
