"""Add the lungs that a model found on a film.

Older scores have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("worklist_score", sa.Column("lung_mask", sa.LargeBinary()))
    op.add_column("worklist_score", sa.Column("lung_mask_rows", sa.Integer()))
    op.add_column("worklist_score", sa.Column("lung_mask_columns", sa.Integer()))
    op.add_column("worklist_score", sa.Column("lungs_found", sa.Boolean()))
