"""Allow readers' verdicts among what goes out to archives."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT
from cxr_app.worklist.tables import Table

revision = "0023"
down_revision = "0021"

NAME = "worklist_outgoing"
ALLOWED = "kind IN ('REPORT', 'PICTURE', 'OUTLINE', 'HEATMAP', 'READING')"
STATES = "state IN ('WAITING', 'SENT', 'SKIPPED', 'GIVEN_UP')"


def upgrade() -> None:
    """Allow the new kind."""
    if op.get_bind().dialect.name == "sqlite":
        _copy_table()
    else:
        op.drop_constraint(op.f("ck_worklist_outgoing_kind"), NAME)
        op.create_check_constraint(op.f("ck_worklist_outgoing_kind"), NAME, ALLOWED)


def _copy_table() -> None:
    """Copy the table: SQLite cannot change a constraint."""
    wanted = sa.Table(
        NAME,
        sa.MetaData(naming_convention=Table.metadata.naming_convention),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("destination", sa.String(300), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("predecessor_scored_at", sa.BigInteger()),
        sa.Column("model_version", TEXT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
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
        sa.CheckConstraint(ALLOWED, name=op.f("ck_worklist_outgoing_kind")),
        sa.CheckConstraint(STATES, name=op.f("ck_worklist_outgoing_state")),
        sa.Index("ix_worklist_outgoing_due", "destination", "state", "due_at", "number"),
    )
    with op.batch_alter_table(NAME, copy_from=wanted, recreate="always"):
        pass
