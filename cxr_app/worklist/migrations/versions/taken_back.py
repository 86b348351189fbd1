"""Allow readers to be unsure, and to take a verdict back: a row that names the verdict's number."""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.tables import Table

revision = "0012"
down_revision = "0011"

NAME = "worklist_review"
ALLOWED = "verdict IN ('AGREE', 'DISAGREE', 'UNUSABLE', 'UNSURE')"
TEXT = sa.Text()
NUMBER = sa.Integer()


def upgrade() -> None:
    """Add the column, and allow the new verdict."""
    op.add_column(NAME, sa.Column("takes_back", sa.BigInteger()))
    if op.get_bind().dialect.name == "sqlite":
        _copy_table()
    else:
        op.drop_constraint(op.f("ck_worklist_review_verdict"), NAME)
        op.create_check_constraint(op.f("ck_worklist_review_verdict"), NAME, ALLOWED)


def _copy_table() -> None:
    """Copy the table: SQLite cannot change a constraint."""
    wanted = sa.Table(
        NAME,
        sa.MetaData(naming_convention=Table.metadata.naming_convention),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("cause", sa.String(16)),
        sa.Column("comment", TEXT),
        sa.Column("heat_seen", sa.Boolean(), nullable=False),
        sa.Column("model_version", TEXT),
        sa.Column("flagged", sa.Boolean()),
        sa.Column("pneumonia_probability", sa.Float(precision=53)),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.Column("takes_back", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_review")),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_review_entry_number"),
        ),
        sa.CheckConstraint(ALLOWED, name=op.f("ck_worklist_review_verdict")),
        sa.CheckConstraint(
            "cause IN ('BACTERIAL', 'VIRAL', 'UNCLEAR')", name=op.f("ck_worklist_review_cause")
        ),
        sa.Index("ix_worklist_review_entry_number_number", "entry_number", "number"),
        sa.Index("ix_worklist_review_reviewed_at", "reviewed_at"),
    )
    with op.batch_alter_table(NAME, copy_from=wanted, recreate="always"):
        pass
