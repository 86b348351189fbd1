"""Add results on their way to archives, and an index to find what was scored lately."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0013"
down_revision = "0012"

KIND = sa.Enum(
    *("REPORT", "PICTURE", "OUTLINE", "HEATMAP"),
    name="kind",
    native_enum=False,
    create_constraint=True,
    length=16,
)
STATE = sa.Enum(
    *("WAITING", "SENT", "SKIPPED", "GIVEN_UP"),
    name="state",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    """Create both tables and the index."""
    op.create_table(
        "worklist_archive",
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.BigInteger()),
        sa.Column("problem", TEXT),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worklist_archive")),
    )
    op.create_table(
        "worklist_outgoing",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("destination", sa.String(300), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("predecessor_scored_at", sa.BigInteger()),
        sa.Column("model_version", TEXT, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("claim", sa.String(32)),
        sa.Column("claimed_until", sa.BigInteger()),
        sa.Column("problem", TEXT),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_outgoing")),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_outgoing_entry_number"),
        ),
        sa.UniqueConstraint(
            *("entry_number", "destination", "kind", "scored_at"),
            name=op.f("uq_worklist_outgoing_entry_number_destination_kind_scored_at"),
        ),
    )
    op.create_index(
        "ix_worklist_outgoing_due",
        "worklist_outgoing",
        ["destination", "state", "due_at", "number"],
    )
    op.create_index("ix_worklist_entry_scored_at", "worklist_entry", ["scored_at"])
