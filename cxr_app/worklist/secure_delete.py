"""What SQLite keeps of values that were deleted or overwritten, and how it is made to go.

The tables are free of them at once, by SQLite's ``secure_delete``. The search index keeps the
trigrams of an old text until it is merged, and the journal keeps whole pages until it is emptied.
PostgreSQL overwrites what it keeps in its own time (VACUUM).
"""

from sqlalchemy import Connection

from cxr_app.worklist.database import LOCK_TIMEOUT_SECONDS, Database, told_in_sentences

MERGED_PAGES = 500
"""In one transaction, for others write in between: some tenths of a second."""
PATIENCE_SECONDS = 1.0
_MERGE = "INSERT INTO worklist_search (worklist_search, rank) VALUES ('merge', ?)"


def scrub(database: Database) -> bool:
    """Overwrite what is kept of deleted values.

    Returns
    -------
    bool
        False where somebody has read in the journal all the time, so that it could not be emptied.
    """
    if database.engine.dialect.name != "sqlite":
        return True
    _merge(database, -MERGED_PAGES)  # a negative number begins to merge all there is
    while _merge(database, MERGED_PAGES):
        pass
    with told_in_sentences(), database.engine.execution_options(bare=True).connect() as connection:
        return _empty_journal(connection)


def _empty_journal(connection: Connection) -> bool:
    """Bring the journal into the database; nobody can write while this waits for readers."""
    patience = "PRAGMA busy_timeout = {:.0f}"
    connection.exec_driver_sql(patience.format(1000 * PATIENCE_SECONDS))
    try:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    finally:
        connection.exec_driver_sql(patience.format(1000 * LOCK_TIMEOUT_SECONDS))
    return not busy


def _merge(database: Database, pages: int) -> bool:
    """Merge some of the search index; False where nothing is left to merge.

    References
    ----------
    SQLite, FTS5 extension, 6.8: fewer than two changes say that there was nothing to do.
    """
    with database.writing() as session:
        connection = session.connection()
        before = _changes(connection)
        connection.exec_driver_sql(_MERGE, (pages,))
        return _changes(connection) - before >= 2


def _changes(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())
