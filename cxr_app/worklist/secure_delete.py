"""Remains of deleted and overwritten values in SQLite's files, and their removal.

SQLite's ``secure_delete`` clears the tables at once. The search index keeps the trigrams of an old
text until it is merged, and the journal keeps whole pages until it is emptied. PostgreSQL
overwrites deleted rows in its own time (VACUUM).
"""

from sqlalchemy import Connection

from cxr_app.worklist.database import Database
from cxr_app.worklist.database_errors import translated_errors

MERGED_PAGES = 500
"""Pages merged in one transaction: some tenths of a second, so that others can write between."""
PATIENCE_SECONDS = 1.0
_MERGE = "INSERT INTO worklist_search (worklist_search, rank) VALUES ('merge', ?)"


def scrub(database: Database) -> bool:
    """Overwrite what is left of deleted values.

    Returns
    -------
    bool
        False if readers used the journal all the time, so that it could not be emptied.
    """
    if database.engine.dialect.name != "sqlite":
        return True
    _merge(database, -MERGED_PAGES)  # a negative number starts a merge of everything
    while _merge(database, MERGED_PAGES):
        pass
    with translated_errors(), database.engine.execution_options(bare=True).connect() as connection:
        return _empty_journal(connection)


def _empty_journal(connection: Connection) -> bool:
    """Move the journal into the database; writers wait while this waits for readers."""
    patience = "PRAGMA busy_timeout = {:.0f}"
    usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() / 1000
    connection.exec_driver_sql(patience.format(1000 * PATIENCE_SECONDS))
    try:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    finally:
        connection.exec_driver_sql(patience.format(1000 * usual))
    return not busy


def _merge(database: Database, pages: int) -> bool:
    """Merge a part of the search index; False if nothing is left to merge.

    References
    ----------
    SQLite, FTS5 extension, 6.8: fewer than two changes mean that there was nothing to do.
    """
    with database.writing() as session:
        connection = session.connection()
        before = _changes(connection)
        connection.exec_driver_sql(_MERGE, (pages,))
        return _changes(connection) - before >= 2


def _changes(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())
