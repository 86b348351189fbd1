"""Add claims, reviews, events and secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VERDICT = sa.Enum(
    *("AGREE", "DISAGREE", "UNUSABLE"),
    name="verdict",
    native_enum=False,
    create_constraint=True,
    length=16,
)
CAUSE = sa.Enum(
    *("BACTERIAL", "VIRAL", "UNCLEAR"),
    name="cause",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    """Create the tables, and add to an entry the reader who has read it."""
    op.add_column("worklist_entry", sa.Column("read_by", TEXT))
    op.create_index("ix_worklist_entry_read_at", "worklist_entry", ["read_at", "received_at"])
    op.create_table(
        "worklist_claim",
        sa.Column("entry_number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_claim_entry_number"),
        ),
        sa.PrimaryKeyConstraint("entry_number", name=op.f("pk_worklist_claim")),
    )
    op.create_table(
        "worklist_review",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", VERDICT),
        sa.Column("cause", CAUSE),
        sa.Column("comment", TEXT),
        sa.Column("heat_seen", sa.Boolean(), nullable=False),
        sa.Column("model_version", TEXT),
        sa.Column("flagged", sa.Boolean()),
        sa.Column("pneumonia_probability", sa.Float(precision=53)),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_review_entry_number"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_review")),
    )
    op.create_index(
        "ix_worklist_review_entry_number_number", "worklist_review", ["entry_number", "number"]
    )
    op.create_index("ix_worklist_review_reviewed_at", "worklist_review", ["reviewed_at"])
    op.create_table(
        "worklist_event",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("entry_number", NUMBER),
        sa.Column("detail", TEXT),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_event_entry_number"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_event")),
    )
    op.create_table(
        "worklist_secret",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worklist_secret")),
    )
