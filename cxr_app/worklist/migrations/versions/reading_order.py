"""Add when a film was taken, and what orders films within a tier: band and waiting time.

Films that are here already wait since their arrival, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

TABLE = "worklist_entry"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
HEADER = (
    *("acquisition_date_time", "acquisition_date", "acquisition_time"),
    "timezone_offset_from_utc",
)
PLACE = ("tier", "band", "waits_since", "descending_probability", "number")
SORTED = (
    *("received_at", "pneumonia_probability", "bacterial_probability", "state", "read_by"),
    *("patient_id", "patient_name", "patient_age_days", "patient_sex", "accession_number"),
    *("study_date", "view_position"),
)
SQLITE_ONLY = ("reason", "source")
NO_CHEST = (
    *("BI", "BMD", "CT", "DOC", "ECG", "ES", "GM", "IO", "IVOCT", "IVUS", "KO", "MG", "MR", "NM"),
    *("OCT", "OP", "OPT", "PR", "PT", "PX", "RTDOSE", "RTIMAGE", "RTSTRUCT", "SEG", "SM", "SR"),
    *("US", "XA", "XC"),
)
BANDS = """
UPDATE worklist_entry SET waits_since = received_at, band = CASE
    WHEN state IN ('REJECTED', 'FAILED') AND modality IN :kinds THEN 9
    WHEN pneumonia_probability IS NULL OR pneumonia_probability >= 0.99 THEN 0
    WHEN pneumonia_probability >= 0.9 THEN 1
    WHEN pneumonia_probability >= 0.7 THEN 2
    ELSE 3 END
"""


def upgrade() -> None:
    """Add the columns, fill them, and build the indexes that hold the new order."""
    op.add_column(TABLE, sa.Column("acquired_at", sa.BigInteger()))
    for name in HEADER:
        op.add_column(TABLE, sa.Column(name, TEXT))
    op.add_column(TABLE, sa.Column("band", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column(
        TABLE, sa.Column("waits_since", sa.BigInteger(), server_default="0", nullable=False)
    )
    kinds: sa.BindParameter[object] = sa.bindparam("kinds", NO_CHEST, expanding=True)
    op.get_bind().execute(sa.text(BANDS).bindparams(kinds))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("order", "refused", *SORTED, *(SQLITE_ONLY if is_sqlite else ())):
        op.drop_index(f"ix_{TABLE}_{name}", TABLE)
    op.create_index(f"ix_{TABLE}_order", TABLE, ["is_read", *PLACE, "state", "search_text"])
    refused = sa.text("state IN ('REJECTED', 'FAILED')")
    op.create_index(
        f"ix_{TABLE}_refused",
        TABLE,
        ["is_read", *PLACE],
        sqlite_where=refused,
        postgresql_where=refused,
    )
    for name in ("waits_since", *SORTED, *(SQLITE_ONLY if is_sqlite else ())):
        columns = list(dict.fromkeys(("is_read", name, *PLACE, "state")))
        op.create_index(f"ix_{TABLE}_{name}", TABLE, columns)
