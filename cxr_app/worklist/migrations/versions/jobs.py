"""Add long-running jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATE = sa.Enum(
    *("SCHEDULED", "RUNNING", "COMPLETED", "CANCELLED", "INTERRUPTED", "FAILED"),
    name="state",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "worklist_job",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("heard_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("host", TEXT),
        sa.Column("pid", sa.Integer()),
        sa.Column("process_started", sa.Float(precision=53)),
        sa.Column("progress", TEXT),
        sa.Column("message", TEXT),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_job")),
        sa.UniqueConstraint("id", name=op.f("uq_worklist_job_id")),
    )
