"""Add the files of DICOM films by their content, and the peers that send films.

Films that are here already are found by their SOP Instance UID, which gets an index.
"""

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import NUMBER, TEXT

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column, the tables and the index."""
    op.add_column(
        "worklist_entry",
        sa.Column("arrival_remarks", sa.Text(), server_default="[]", nullable=False),
    )
    op.create_index("ix_worklist_entry_sop_instance_uid", "worklist_entry", ["sop_instance_uid"])
    op.create_table(
        "worklist_instance",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("dataset_sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_instance")),
        sa.ForeignKeyConstraint(
            ["entry_number"],
            ["worklist_entry.number"],
            name=op.f("fk_worklist_instance_entry_number"),
        ),
        sa.UniqueConstraint("dataset_sha256", name=op.f("uq_worklist_instance_dataset_sha256")),
    )
    op.create_index("ix_worklist_instance_entry_number", "worklist_instance", ["entry_number"])
    op.create_table(
        "worklist_peer",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("ae_title", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("films", "repeated", "own_results", "refused", "seen_at")
        ),
        sa.Column("film_at", sa.BigInteger()),
        sa.Column("refused_at", sa.BigInteger()),
        sa.Column("refusal", TEXT),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_worklist_peer")),
        sa.UniqueConstraint("ae_title", "address", name=op.f("uq_worklist_peer_ae_title_address")),
    )
