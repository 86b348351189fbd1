"""Add the station that made a film; films scored before have none."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import TEXT

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column."""
    op.add_column("worklist_entry", sa.Column("station_name", TEXT))
