"""Add urgency and assignment of films, notes to the next reader, and saved views."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0019"
down_revision = "0022"

TABLE = "worklist_entry"
PLACE = ("tier", "band", "waits_since", "descending_probability", "number")
ASSIGNED = sa.text("assigned_to IS NOT NULL")


def upgrade() -> None:
    """Add the columns, their index and the tables."""
    for name in ("urgent_by", "urgent_reason", "assigned_to", "assigned_by"):
        op.add_column(TABLE, sa.Column(name, TEXT))
    for name in ("urgent_at", "assigned_at"):
        op.add_column(TABLE, sa.Column(name, sa.BigInteger()))
    op.create_index(
        f"ix_{TABLE}_assigned",
        TABLE,
        ["assigned_to", "is_read", *PLACE, "state"],
        sqlite_where=ASSIGNED,
        postgresql_where=ASSIGNED,
    )
    op.create_table(
        "worklist_note",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("settled_by", TEXT),
        sa.Column("settled_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["entry_number"], ["worklist_entry.number"], name=op.f("fk_worklist_note_entry_number")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_note")),
    )
    op.create_index("ix_worklist_note_entry_number", "worklist_note", ["entry_number"])
    op.create_table(
        "worklist_saved_view",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("reader", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_saved_view")),
        sa.UniqueConstraint("reader", "name", name=op.f("uq_worklist_saved_view_reader_name")),
    )
