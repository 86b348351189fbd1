"""When a film's file was deleted. A column, since every page asks it and every sweep passes by."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Say in an entry that its film is no longer kept."""
    op.add_column("worklist_entry", sa.Column("film_deleted_at", sa.BigInteger()))
