"""Add what a million films need: indexes to sort by, counters, and trigrams.

The triggers belong to the table of entries: a later migration that makes SQLite copy it must
create them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TABLE = "worklist_entry"
PLACE = ("tier", "received_at", "descending_probability", "number")
RECREATED = (
    *("received_at", "pneumonia_probability", "patient_id", "patient_name"),
    *("accession_number", "study_date"),
)
NEW = (
    *("bacterial_probability", "state", "read_by", "patient_age_days", "patient_sex"),
    "view_position",
)
SQLITE_ONLY = ("reason", "source")

COUNTERS = (
    "CREATE TABLE worklist_tally (is_read BOOLEAN NOT NULL, tier SMALLINT NOT NULL,"
    " state VARCHAR(16) NOT NULL, films INTEGER NOT NULL,"
    " PRIMARY KEY (is_read, tier, state)) WITHOUT ROWID",
    "INSERT INTO worklist_tally SELECT is_read, tier, coalesce(state, ''), count(*)"
    " FROM worklist_entry GROUP BY 1, 2, 3",
    "CREATE TRIGGER worklist_tally_insert AFTER INSERT ON worklist_entry BEGIN"
    " INSERT INTO worklist_tally VALUES (new.is_read, new.tier, coalesce(new.state, ''), 1)"
    " ON CONFLICT DO UPDATE SET films = films + 1; END",
    "CREATE TRIGGER worklist_tally_delete AFTER DELETE ON worklist_entry BEGIN"
    " UPDATE worklist_tally SET films = films - 1 WHERE is_read = old.is_read"
    " AND tier = old.tier AND state = coalesce(old.state, ''); END",
    "CREATE TRIGGER worklist_tally_update AFTER UPDATE OF is_read, tier, state"
    " ON worklist_entry BEGIN"
    " UPDATE worklist_tally SET films = films - 1 WHERE is_read = old.is_read"
    " AND tier = old.tier AND state = coalesce(old.state, '');"
    " INSERT INTO worklist_tally VALUES (new.is_read, new.tier, coalesce(new.state, ''), 1)"
    " ON CONFLICT DO UPDATE SET films = films + 1; END",
)
REMOVE_TEXT = (
    "INSERT INTO worklist_search (worklist_search, rowid, search_text)"
    " VALUES ('delete', old.number, old.search_text);"
)
ADD_TEXT = "INSERT INTO worklist_search (rowid, search_text) VALUES (new.number, new.search_text);"
TRIGRAMS = (
    "CREATE VIRTUAL TABLE worklist_search USING fts5 (search_text, content='worklist_entry',"
    " content_rowid='number', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)",
    "INSERT INTO worklist_search (worklist_search) VALUES ('rebuild')",
    f"CREATE TRIGGER worklist_search_insert AFTER INSERT ON worklist_entry BEGIN {ADD_TEXT} END",
    f"CREATE TRIGGER worklist_search_delete AFTER DELETE ON worklist_entry BEGIN {REMOVE_TEXT} END",
    "CREATE TRIGGER worklist_search_update AFTER UPDATE OF search_text ON worklist_entry"
    f" WHEN old.search_text <> new.search_text BEGIN {REMOVE_TEXT} {ADD_TEXT} END",
)
POSTGRESQL_TRIGRAMS = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX worklist_search ON worklist_entry USING gin (search_text gin_trgm_ops);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object
    THEN RAISE NOTICE 'without pg_trgm, a search looks at every film';
END $$
"""


def upgrade() -> None:
    """Create the indexes; on SQLite also the counters and the trigrams."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.drop_index("ix_worklist_entry_order", TABLE)
    columns = ["is_read", *PLACE, "state", "search_text"]
    op.create_index("ix_worklist_entry_order", TABLE, columns)
    for name in RECREATED:
        op.drop_index(f"ix_worklist_entry_{name}", TABLE)
    for name in (*RECREATED, *NEW, *(SQLITE_ONLY if is_sqlite else ())):
        columns = list(dict.fromkeys(("is_read", name, *PLACE, "state")))
        op.create_index(f"ix_worklist_entry_{name}", TABLE, columns)
    for statement in (*COUNTERS, *TRIGRAMS) if is_sqlite else (POSTGRESQL_TRIGRAMS,):
        op.execute(sa.text(statement))
