"""The tables of a new SQLite worklist, made at once as all migrations together would leave them.

A new worklist is what a backlog and a first start wait for; the migrations take twenty times as
long. ``python -m tests.newest_tables`` writes the statements again after a new migration.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect

STATEMENTS = Path(__file__).with_name("newest_tables.sql")
"""One statement after the other, with an empty line between them."""


def is_new(connection: Connection) -> bool:
    """Check whether a database is one of SQLite without any table."""
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()


def make_newest_tables(connection: Connection) -> None:
    """Make all tables, within the transaction of the connection."""
    for statement in STATEMENTS.read_text(encoding="utf-8").split("\n\n"):
        connection.exec_driver_sql(statement)
