"""Make words of one or two letters searchable in SQLite.

Two more characters after each text let a trigram begin at its last letters as well. The index then
holds, for each short word, the trigrams that begin with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TRIGRAMS = (
    "DROP TRIGGER worklist_search_insert",
    "DROP TRIGGER worklist_search_delete",
    "DROP TRIGGER worklist_search_update",
    "DROP TABLE worklist_search",
    "CREATE VIEW worklist_search_text AS"
    " SELECT number, search_text || char(10, 10) AS search_text FROM worklist_entry",
    "CREATE VIRTUAL TABLE worklist_search USING fts5 (search_text, content='worklist_search_text',"
    " content_rowid='number', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)",
    "INSERT INTO worklist_search (worklist_search) VALUES ('rebuild')",
    "CREATE VIRTUAL TABLE worklist_search_term USING fts5vocab ('worklist_search', 'row')",
    "CREATE TRIGGER worklist_search_insert AFTER INSERT ON worklist_entry BEGIN"
    " INSERT INTO worklist_search (rowid, search_text)"
    " VALUES (new.number, new.search_text || char(10, 10)); END",
    "CREATE TRIGGER worklist_search_delete AFTER DELETE ON worklist_entry BEGIN"
    " INSERT INTO worklist_search (worklist_search, rowid, search_text)"
    " VALUES ('delete', old.number, old.search_text || char(10, 10)); END",
    "CREATE TRIGGER worklist_search_update AFTER UPDATE OF search_text ON worklist_entry"
    " WHEN old.search_text <> new.search_text BEGIN"
    " INSERT INTO worklist_search (worklist_search, rowid, search_text)"
    " VALUES ('delete', old.number, old.search_text || char(10, 10));"
    " INSERT INTO worklist_search (rowid, search_text)"
    " VALUES (new.number, new.search_text || char(10, 10)); END",
)


def upgrade() -> None:
    """Create SQLite's trigrams again; PostgreSQL's are unchanged."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in TRIGRAMS:
            op.execute(sa.text(statement))
