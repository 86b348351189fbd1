"""Add the issuer of a Patient ID, without which the id is not one patient's.

Films scored before have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("worklist_entry", sa.Column("issuer_of_patient_id", TEXT))
