"""Add what identifies a film's study, which views need no score, and archives that are held."""

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from cxr_app.worklist.migrations.versions.first_tables import TEXT

revision = "0018"
down_revision = "0019"

TABLE = "worklist_entry"
FACTS = (
    *("study_instance_uid", "patient_id", "issuer_of_patient_id"),
    *("patient_name", "patient_birth_date", "patient_sex"),
)
PLACE = ("tier", "band", "waits_since", "descending_probability", "number")
LATERAL = "%it is a lateral view, and only frontal views are scored.%"
AT_ONCE = 10_000


def upgrade() -> None:
    """Add the columns, fill them, and build the index."""
    op.add_column(TABLE, sa.Column("study_key", sa.String(32)))
    op.add_column(
        TABLE,
        sa.Column("needs_no_score", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    entries = sa.table(
        TABLE,
        sa.column("number", sa.BigInteger),
        sa.column("study_key", sa.String),
        sa.column("needs_no_score", sa.Boolean),
        *(sa.column(name, TEXT) for name in ("state", "reason", *FACTS)),
    )
    _fill(entries)
    lateral = entries.update().where(entries.c.state == "REJECTED", entries.c.reason.like(LATERAL))
    op.execute(lateral.values(needs_no_score=True))
    op.add_column("worklist_archive", sa.Column("held_at", sa.BigInteger()))
    op.create_index(
        f"ix_{TABLE}_study_key",
        TABLE,
        ["study_key", "is_read", *PLACE, "needs_no_score", "state"],
    )


def _fill(entries: sa.TableClause) -> None:
    """Set the key of every film that names a study, some at a time."""
    connection = op.get_bind()
    columns = [entries.c[name] for name in ("number", *FACTS)]
    page = sa.select(*columns).where(entries.c.study_instance_uid.is_not(None))
    page = page.order_by(entries.c.number).limit(AT_ONCE)
    change = entries.update().where(entries.c.number == sa.bindparam("of"))
    change = change.values(study_key=sa.bindparam("key"))
    last = -1
    while rows := connection.execute(page.where(entries.c.number > last)).all():
        connection.execute(change, [{"of": row[0], "key": _key(row[1:])} for row in rows])
        last = rows[-1][0]


def _key(facts: Sequence[Any]) -> str:
    """Return the key as the program of this version has it."""
    words = "".join(f"{len(fact or '')}:{fact or ''}" for fact in facts)
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
