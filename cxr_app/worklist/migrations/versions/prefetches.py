"""Add the films whose patients' earlier films are fetched, and the films that were asked for."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0025"
down_revision = "0023"


STATE = sa.Enum(
    *("WAITING", "DONE", "SKIPPED", "GIVEN_UP"),
    name="state",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "worklist_prefetch",
        sa.Column("entry_number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("films", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.Column("claimed_until", sa.BigInteger()),
        sa.Column("problem", TEXT),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_prefetch_entry_number"),
        ),
        sa.PrimaryKeyConstraint("entry_number", name=op.f("pk_worklist_prefetch")),
    )
    op.create_index(
        "ix_worklist_prefetch_due", "worklist_prefetch", ["state", "due_at", "entry_number"]
    )
    op.create_table(
        "worklist_film_request",
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("entry_number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_film_request_entry_number"),
        ),
        sa.PrimaryKeyConstraint(
            "sop_instance_uid", "entry_number", name=op.f("pk_worklist_film_request")
        ),
    )
