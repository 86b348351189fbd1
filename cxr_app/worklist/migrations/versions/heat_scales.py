"""What each map is drawn on: it belongs to the model that scored, and not to the one in use.

Scores from before do not say it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Keep the scale beside the map."""
    op.add_column("worklist_score", sa.Column("heat_begin", sa.Float(53)))
    op.add_column("worklist_score", sa.Column("heat_full", sa.Float(53)))
