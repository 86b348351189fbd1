"""Add the log of the models that were put to use."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "worklist_promotion",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("promoted_at", sa.BigInteger(), nullable=False),
        sa.Column("promoted_by", TEXT),
        sa.Column("sha256", sa.String(length=64)),
        sa.Column("model_version", TEXT),
        sa.Column("replaced_version", TEXT),
        sa.Column("replaces", NUMBER, nullable=False),
        sa.Column("job_id", sa.String(length=32)),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_promotion")),
        sa.UniqueConstraint("replaces", name=op.f("uq_worklist_promotion_replaces")),
    )
