"""The tables of an older program: examined as they are, and upgraded whole or not at all."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    ColumnClause,
    Connection,
    MetaData,
    func,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Table

from cxr_app.errors import CxrError, WorklistError
from cxr_app.worklist.database import (
    HEAD,
    VERSION_TABLE,
    connect,
    lock_for_upgrade,
    migrate,
    sqlite_file,
    stored_revision,
)
from cxr_app.worklist.database_errors import translated_errors

TABLES = "worklist_"
"""How the names of all tables begin."""
AIDS = (VERSION_TABLE, "worklist_search", "worklist_tally")
"""How the names of those begin that are built by migrations and triggers."""
RECORD = {
    "worklist_entry": (
        *("id", "sha256", "path", "source", "received_at", "state", "reason", "scored_at"),
        *("read_at", "read_by", "film_deleted_at", "model_version", "pneumonia_probability"),
        *("flagged", "threshold", "patient_id", "patient_name", "accession_number"),
    ),
    "worklist_score": ("entry_number", "model_version", "pneumonia_probability", "threshold"),
    "worklist_review": ("entry_number", "reader", "reviewed_at", "verdict", "cause", "comment"),
    "worklist_event": ("happened_at", "kind", "reader", "entry_number"),
    "worklist_promotion": ("promoted_at", "promoted_by", "sha256", "model_version"),
}
"""Columns that no upgrade may change."""
LOCK_SECONDS = 2


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """What a database holds.

    Parameters
    ----------
    revision
        Of the tables; None if there are none.
    entries
        Number of entries.
    """

    revision: str | None
    entries: int

    @property
    def is_current(self) -> bool:
        """Whether the tables are those of this program."""
        return self.revision == HEAD


def stored_schema(url: str) -> StoredSchema:
    """Examine a worklist; nothing is made or changed.

    Raises
    ------
    SettingsError
        If the URL names no database that this program can use.
    WorklistError
        If the database cannot be read.
    """
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        return StoredSchema(None, 0)
    engine = connect(url)
    try:
        with translated_errors(), engine.connect() as connection:
            revision = stored_revision(connection)
            if not inspect(connection).has_table("worklist_entry"):
                return StoredSchema(revision, 0)
            count = select(func.count()).select_from(table("worklist_entry"))
            return StoredSchema(revision, connection.scalar(count) or 0)
    finally:
        engine.dispose()


def stored_tables(connection: Connection) -> list[Table]:
    """Return the tables as they are there, each after those that it refers to."""
    tables = MetaData()
    tables.reflect(
        connection, only=lambda name, _: name.startswith(TABLES) and not name.startswith(AIDS)
    )
    return tables.sorted_tables


def require_unused(url: str) -> None:
    """Check that no other program has the worklist open.

    Raises
    ------
    WorklistError
        If one has.
    """
    file = sqlite_file(url)
    if _is_open(file) if file is not None else _has_clients(url):
        raise WorklistError(
            "The worklist is in use. Stop every server, receiver and command of this installation, "
            "then run the same command again."
        )


def upgrade_schema(url: str) -> None:
    """Bring the tables up to date in one transaction, whose result is compared before it counts.

    Raises
    ------
    WorklistError
        If it fails or would change what was recorded; the tables are as they were.
    """
    engine = connect(url)
    try:
        with (
            _told_unchanged(),
            translated_errors(),
            engine.execution_options(writes=True).begin() as connection,
        ):
            lock_for_upgrade(connection)
            before = _inventory(connection)
            migrate(connection)
            _compare(before, _inventory(connection, before), stored_revision(connection))
    finally:
        engine.dispose()


@contextmanager
def _told_unchanged() -> Iterator[None]:
    """Raise a `WorklistError` that says that nothing was changed, whatever the fault is."""
    try:
        yield
    except CxrError as error:
        raise WorklistError(f"{error} The worklist is as it was.") from error
    except DBAPIError:
        raise
    except Exception as error:
        raise WorklistError(
            f"A step of the upgrade failed ({type(error).__name__}). The worklist is as it was. "
            "Please report this as a fault."
        ) from error


Inventory = dict[str, tuple[int, tuple[str, ...], str]]
"""Rows, compared columns and their digest, by table."""


def _inventory(connection: Connection, before: Inventory | None = None) -> Inventory:
    """Count the rows of each table, and digest what no upgrade may change."""
    found = {}
    for each in stored_tables(connection):
        names = before[each.name][1] if before and each.name in before else None
        if names is None:
            names = tuple(name for name in RECORD.get(each.name, ()) if name in each.columns)
        count = connection.scalar(select(func.count()).select_from(each)) or 0
        found[each.name] = (count, names, _digest(connection, each, names))
    return found


def _digest(connection: Connection, source: Table, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    digest = hashlib.sha256()
    columns: list[ColumnClause[object]] = [literal_column(f'"{name}"') for name in names]
    rows = select(*columns).select_from(source).order_by(*source.primary_key.columns)
    for row in connection.execute(rows, execution_options={"yield_per": 1000}):
        digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _compare(before: Inventory, after: Inventory, revision: str | None) -> None:
    if revision != HEAD:
        raise WorklistError(f"The upgrade ended at {revision} instead of {HEAD}.")
    changed = sorted(name for name, held in before.items() if after.get(name) != held)
    if changed:
        raise WorklistError(f"The upgrade would change what {', '.join(changed)} recorded.")


def _is_open(file: Path) -> bool:
    """Whether others have a SQLite file open: only who is alone may leave its write-ahead log."""
    try:
        with closing(sqlite3.connect(file, timeout=LOCK_SECONDS)) as alone:
            alone.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
            return True
        raise WorklistError(
            f"The worklist {file} cannot be opened ({error.sqlite_errorname}). "
            "Check the disk and its rights."
        ) from error
    return False


def _has_clients(url: str) -> bool:
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = current_user AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    engine = connect(url)
    try:
        with translated_errors(), engine.connect() as connection:
            return bool(connection.scalar(others))
    finally:
        engine.dispose()
