"""Write the tables that all migrations leave in a new SQLite worklist.

Run as ``python -m tests.newest_tables``, after a migration was added.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_app.worklist import database
from cxr_app.worklist.newest_tables import STATEMENTS


def migrated(path: Path) -> None:
    """Make a worklist step by step, by every migration."""
    engine = database.connect(f"sqlite:///{path}")
    with engine.execution_options(writes=True).begin() as connection:
        database.migrate(connection)
    engine.dispose()


def statements(path: Path) -> list[str]:
    """Return what makes the tables of an empty worklist; SQLite makes those of a search itself."""
    with closing(sqlite3.connect(path)) as worklist:
        found = worklist.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT IN "
            "(SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY rowid"
        ).fetchall()
    version = f"INSERT INTO {database.VERSION_TABLE} VALUES ('{database.HEAD}')"  # noqa: S608
    return [*(re.sub(r"\s*\n", "\n", sql) for (sql,) in found), version]


def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as name:
        path = Path(name) / "worklist.sqlite"
        migrated(path)
        STATEMENTS.write_text("\n\n".join(statements(path)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
