"""New SQLite worklists as copies of an empty one: migrations run once a process of the tests."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, inspect

from cxr_app.worklist import database

Upgrade = Callable[[Engine], None]


class EmptyWorklists:
    """Upgrades as the program does, but copies an empty worklist into a file without any table.

    Parameters
    ----------
    folder
        Gets the empty worklist.
    upgrade
        The program's own upgrade.
    """

    def __init__(self, folder: Path, upgrade: Upgrade) -> None:
        self._file = folder / "empty.sqlite"
        self._upgrade = upgrade
        self._lock = threading.Lock()

    def __call__(self, engine: Engine) -> None:
        """Upgrade the tables of a worklist."""
        with self._lock:
            if engine.dialect.name == "sqlite" and not _has_tables(engine):
                self._copy_into(engine)
        self._upgrade(engine)

    def _copy_into(self, engine: Engine) -> None:
        if not self._file.exists():
            made = database.connect(f"sqlite:///{self._file}")
            self._upgrade(made)
            made.dispose()
        with sqlite3.connect(self._file) as empty, engine.connect() as connection:
            target = connection.connection.driver_connection
            assert isinstance(target, sqlite3.Connection)
            connection.rollback()
            empty.backup(target)
        empty.close()


def _has_tables(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(inspect(connection).get_table_names())
