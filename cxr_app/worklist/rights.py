"""What the database's user may not do with the tables of a worklist, and needs to."""

import os
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from cxr_app.errors import WorklistError
from cxr_app.worklist.database import VERSION_TABLE, connect, sqlite_file
from cxr_app.worklist.database_errors import translated_errors

NAMED = 3
"""Largest number of tables that a message names."""

_TABLES_WITHOUT = text("""
    SELECT c.relname FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'worklist\\_%' AND pg_table_is_visible(c.oid)
    AND NOT (
        has_table_privilege(c.oid, 'SELECT') AND (
            c.relname = :version OR has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
    ORDER BY c.relname
""").bindparams(bindparam("version", VERSION_TABLE))
# CASE, for PostgreSQL asks conditions in any order and refuses this one of a table.
_SEQUENCES_WITHOUT = text("""
    SELECT c.relname FROM pg_class c
    WHERE c.relname LIKE 'worklist\\_%' AND pg_table_is_visible(c.oid)
    AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE') END
    ORDER BY c.relname
""")
_NAMES = text("SELECT quote_ident(current_schema()), quote_ident(current_user)")
_IS_READ_ONLY = text("SELECT current_setting('transaction_read_only')::boolean")


def require_rights(url: str) -> None:
    """Check that a worklist can be read and changed; nothing is made or changed.

    Raises
    ------
    WorklistError
        If not; the message says what to grant.
    """
    file = sqlite_file(url)
    if file is not None:
        paths = [file, file.parent] if file.is_file() else []
        if closed := [path for path in paths if not os.access(path, os.R_OK | os.W_OK)]:
            raise WorklistError(
                f"The worklist cannot be changed by this user, who may not write to {closed[0]}. "
                "Run the program as its owner."
            )
        return
    engine = connect(url)
    try:
        with translated_errors(), engine.connect() as connection:
            _require_grants(connection)
    finally:
        engine.dispose()


def _require_grants(connection: Connection) -> None:
    if connection.scalar(_IS_READ_ONLY):
        raise WorklistError(
            "The worklist's database is read-only. Connect to the server that accepts changes."
        )
    tables = connection.scalars(_TABLES_WITHOUT).all()
    sequences = connection.scalars(_SEQUENCES_WITHOUT).all()
    if not (tables or sequences):
        return
    schema, user = connection.execute(_NAMES).one()
    grants = {
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user};": tables,
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {user};": sequences,
    }
    wanted = " ".join(grant for grant, names in grants.items() if names)
    raise WorklistError(
        f"The user {user} lacks rights that it needs on {_named([*tables, *sequences])}. "
        f"Run as their owner: {wanted}"
    )


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
