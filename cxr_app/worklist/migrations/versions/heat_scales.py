"""Add the scale of each activation map: that of the model that scored, not of the one in use.

Older scores have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("worklist_score", sa.Column("heat_begin", sa.Float(53)))
    op.add_column("worklist_score", sa.Column("heat_full", sa.Float(53)))
