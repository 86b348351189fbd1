"""Add what a million films need on PostgreSQL: counters, trigrams of its own, two indexes.

Each statement that enters or changes films adds lines to the counters, and one in many adds them
up: so no writer waits for another. The trigrams are words of PostgreSQL's own text search, which
finds words by their beginning too, and needs no extension. The indexes of texts of any length hold
their beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"

TABLE = "worklist_entry"
PLACE = ("tier", "band", "waits_since", "descending_probability", "number")
UNBOUNDED = ("reason", "source")
BEGINNING = 400

COUNTERS = (
    "CREATE TABLE worklist_tally (is_read BOOLEAN NOT NULL, tier SMALLINT NOT NULL,"
    " state VARCHAR(16) NOT NULL, films BIGINT NOT NULL)",
    "INSERT INTO worklist_tally SELECT is_read, tier, coalesce(state, ''), count(*)"
    " FROM worklist_entry GROUP BY 1, 2, 3",
    """
CREATE FUNCTION worklist_tally_add_up() RETURNS void LANGUAGE sql AS $$
    WITH lines AS (DELETE FROM worklist_tally RETURNING *)
    INSERT INTO worklist_tally SELECT is_read, tier, state, sum(films) FROM lines
    GROUP BY is_read, tier, state HAVING sum(films) <> 0
$$
""",
    """
CREATE FUNCTION worklist_tally_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO worklist_tally SELECT is_read, tier, coalesce(state, ''), count(*)
            FROM changed GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO worklist_tally SELECT is_read, tier, coalesce(state, ''), -count(*)
            FROM changed GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO worklist_tally VALUES
            (old.is_read, old.tier, coalesce(old.state, ''), -1),
            (new.is_read, new.tier, coalesce(new.state, ''), 1);
    END IF;
    IF random() < 0.01 AND pg_try_advisory_xact_lock(4412499) THEN
        PERFORM worklist_tally_add_up();
    END IF;
    RETURN NULL;
END $$
""",
    "CREATE TRIGGER worklist_tally_insert AFTER INSERT ON worklist_entry"
    " REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION worklist_tally_count()",
    "CREATE TRIGGER worklist_tally_delete AFTER DELETE ON worklist_entry"
    " REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION worklist_tally_count()",
    "CREATE TRIGGER worklist_tally_update AFTER UPDATE OF is_read, tier, state ON worklist_entry"
    " FOR EACH ROW WHEN ((old.is_read, old.tier, old.state)"
    " IS DISTINCT FROM (new.is_read, new.tier, new.state))"
    " EXECUTE FUNCTION worklist_tally_count()",
)
TRIGRAMS = (
    "DROP INDEX IF EXISTS worklist_search",
    # PostgreSQL must never prefer to compute the trigrams of many films: hence the cost.
    r"""
CREATE FUNCTION worklist_grams(search_text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
    SELECT pg_catalog.array_to_tsvector(ARRAY(
        SELECT pg_catalog.substr(search_text || E'\n\n', place, 3)
        FROM pg_catalog.generate_series(1, pg_catalog.length(search_text)) AS place
    ))
$$
""",
    f"CREATE INDEX worklist_search ON {TABLE} USING gin (worklist_grams(search_text))",
)
STATISTICS = (
    # By which PostgreSQL tells a word that one film in a hundred has from one that hardly any has.
    f"ALTER TABLE {TABLE} ALTER COLUMN search_text SET STATISTICS 500",
    "ALTER INDEX worklist_search ALTER COLUMN 1 SET STATISTICS 0",
    f"ANALYZE {TABLE}",
)


def upgrade() -> None:
    """Create all of it on PostgreSQL; SQLite has it."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for statement in (*COUNTERS, *TRIGRAMS):
        op.execute(sa.text(statement))
    for name in UNBOUNDED:
        beginning = sa.text(f"left({name}, {BEGINNING})")
        op.create_index(f"ix_{TABLE}_{name}", TABLE, ["is_read", beginning, *PLACE, "state"])
    for statement in STATISTICS:
        op.execute(sa.text(statement))
