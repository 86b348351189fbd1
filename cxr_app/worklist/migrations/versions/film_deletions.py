"""Add when a film's file was deleted: a column, since every page and every sweep reads it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("worklist_entry", sa.Column("film_deleted_at", sa.BigInteger()))
