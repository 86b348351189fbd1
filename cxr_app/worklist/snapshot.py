"""The whole worklist in one SQLite file: written while servers run, restored into any database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.schema import Table as SchemaTable

from cxr_app.errors import WorklistError
from cxr_app.worklist.database import (
    Database,
    connect,
    migrate,
    sqlite_file,
    stored_revision,
)
from cxr_app.worklist.database_errors import translated_errors
from cxr_app.worklist.job import JobState
from cxr_app.worklist.outgoing_tables import ArchiveRow
from cxr_app.worklist.stored_schema import stored_tables
from cxr_app.worklist.tables import EntryRow, JobRow, Table

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file of a film in a snapshot; a film may have several.

    Parameters
    ----------
    path
        Where it is kept; None if the film is shown from another file.
    is_deleted
        Whether the film was deleted at the end of its retention time.
    """

    sha256: str
    path: Path | None
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot holds.

    Parameters
    ----------
    entries
        How many there are.
    files
        Of all of them.
    """

    entries: int
    files: list[SnapshotFile]


def write_snapshot(url: str, path: Path) -> None:
    """Write one consistent state of a worklist to a new file, while others use the worklist.

    The tables of an older program stay as they are, and are the same in the file.

    Raises
    ------
    WorklistError
        If the worklist cannot be read, or the file not be written.
    """
    path.unlink(missing_ok=True)
    source = sqlite_file(url)
    with translated_errors():
        if source is not None:
            _copy_file(source, path)
        else:
            _copy_database(url, path)
    path.chmod(0o600)


def read_snapshot(path: Path) -> Snapshot:
    """Return the films of a snapshot, whose file is left as it is.

    Raises
    ------
    WorklistError
        If the file is damaged, or not a snapshot.
    """
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True)) as snapshot:
            (verdict,) = snapshot.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError
            (entries,) = snapshot.execute("SELECT count(*) FROM worklist_entry").fetchone()
            rows = snapshot.execute(_query_of_files(snapshot)).fetchall()
    except sqlite3.Error:
        raise WorklistError(f"{path} is damaged or no worklist. Use another backup.") from None
    decode = EntryRow.path.type.process_result_value
    return Snapshot(
        entries,
        [
            SnapshotFile(sha256, decode(place, None), deleted is not None)
            for sha256, place, deleted in rows
        ],
    )


def _query_of_files(snapshot: sqlite3.Connection) -> str:
    """Return a query for SHA-256, path and time of deletion of each file; older ones have fewer."""
    tables = {name for (name,) in snapshot.execute("SELECT name FROM sqlite_master")}
    columns = "SELECT name FROM pragma_table_info('worklist_entry')"
    named = {name for (name,) in snapshot.execute(columns)}
    deleted_at = "film_deleted_at" if "film_deleted_at" in named else "NULL"
    queries = [f"SELECT sha256, path, {deleted_at} FROM worklist_entry"]  # noqa: S608 - ours
    for table, path in (("worklist_instance", "file.path"), ("worklist_further_file", "NULL")):
        if table in tables:
            queries.append(
                f"SELECT file.sha256, {path}, entry.{deleted_at} FROM {table} AS file"  # noqa: S608
                " JOIN worklist_entry AS entry ON entry.number = file.entry_number"
            )
    return " UNION ".join(queries)


def entries_missing(earlier: Path, later: Path) -> int:
    """Return how many entries of a snapshot another has not; none if it is a later state.

    Raises
    ------
    WorklistError
        If either is damaged, or no snapshot.
    """
    query = (
        "SELECT count(*) FROM earlier.worklist_entry"
        " WHERE id NOT IN (SELECT id FROM main.worklist_entry)"
    )
    try:
        with closing(sqlite3.connect(_read_only(later), uri=True)) as snapshot:
            snapshot.execute("ATTACH ? AS earlier", (_read_only(earlier),))
            return int(snapshot.execute(query).fetchone()[0])
    except sqlite3.Error:
        raise WorklistError(f"{earlier} or {later} is damaged or no worklist.") from None


def _read_only(path: Path) -> str:
    """Return the address of a file that SQLite leaves as it is."""
    return f"{path.absolute().as_uri()}?mode=ro"


def restore_snapshot(path: Path, url: str, place_of: Callable[[Path], Path]) -> None:
    """Fill an empty worklist from a snapshot, in one transaction.

    Parameters
    ----------
    path
        A copy of the snapshot: one of an older program is brought up to date in it.
    place_of
        Returns where a film is now, from where it was.

    Raises
    ------
    WorklistError
        If the worklist has entries, or either cannot be used.
    """
    source, target = Database(f"sqlite:///{path}"), Database(url)
    try:
        _copy_rows(source, target, place_of)
    finally:
        source.close()
        target.close()


def _copy_file(source: Path, path: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(path)) as written:
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:  # chained, it would be logged with what it quotes
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        path.unlink(missing_ok=True)
        raise WorklistError(
            f"{source} cannot be copied to {path.parent} ({name}). Check both disks and their "
            "rights, then run the same command again."
        ) from None


def _copy_database(url: str, path: Path) -> None:
    """Copy every row of a PostgreSQL worklist to a file with tables of the same revision."""
    source, target = connect(url), connect(f"sqlite:///{path}")
    path.touch(mode=0o600)
    try:
        snapshot = source.execution_options(isolation_level="REPEATABLE READ")
        writing = target.execution_options(writes=True)
        with snapshot.begin() as reading, writing.begin() as written:
            migrate(written, stored_revision(reading) or "head")
            tables = stored_tables(reading)
            for table in reversed(tables):
                written.execute(delete(table))
            for table in tables:
                found = reading.execute(select(table).execution_options(yield_per=ROWS_AT_ONCE))
                for rows in found.partitions():
                    written.execute(insert(table), [dict(row._mapping) for row in rows])
    finally:
        source.dispose()
        target.dispose()
    with closing(sqlite3.connect(path)) as alone:  # one file, without a journal
        alone.execute("PRAGMA journal_mode = DELETE")


def _copy_rows(source: Database, target: Database, place_of: Callable[[Path], Path]) -> None:
    """Copy every row; the target's triggers build its search index and its counters.

    No archive gets results of the restored worklist before a person allows it, and its jobs do not
    run: on the same computer their processes may be those of the place that was backed up.
    """
    tables = Table.metadata.sorted_tables
    with source.reading() as reading, target.writing() as writing:
        if writing.scalar(select(func.count()).select_from(EntryRow)):
            raise WorklistError(
                "The worklist has films already. Restore into an empty place: set CXR_DATA_DIR "
                "and CXR_DATABASE_URL to new ones."
            )
        for table in reversed(tables):
            writing.execute(delete(table))
        for table in tables:
            found = reading.execute(select(table).execution_options(yield_per=ROWS_AT_ONCE))
            for rows in found.partitions():
                writing.execute(insert(table), [_values(row, place_of) for row in rows])
            _count_on(writing.connection(), table)
        # What was sent since the backup would be sent again: a person decides.
        writing.execute(update(ArchiveRow).values(held_at=datetime.now(UTC)))
        writing.execute(
            update(JobRow)
            .where(JobRow.state == JobState.RUNNING)
            .values(
                state=JobState.INTERRUPTED,
                cancelling=False,
                ended_at=datetime.now(UTC),
                message="It ran when the backup was made. What was done until then is kept.",
            )
        )


def _values(row: Row[Any], place_of: Callable[[Path], Path]) -> dict[str, Any]:
    return {
        name: place_of(value) if isinstance(value, Path) else value
        for name, value in row._mapping.items()
    }


def _count_on(connection: Connection, table: SchemaTable) -> None:
    """Let PostgreSQL number further rows after the copied ones; SQLite does so by itself."""
    number = table.columns.get("number")
    if connection.dialect.name != "postgresql" or number is None:
        return
    last = connection.scalar(select(func.max(number)))
    sequence = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, 'number')"), {"table": table.name}
    )
    if last is not None and sequence is not None:
        connection.execute(
            text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": sequence, "last": last}
        )
