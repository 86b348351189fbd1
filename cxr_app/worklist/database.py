"""The worklist's database: opened and upgraded."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    String,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from cxr_app.errors import SettingsError, WorklistError
from cxr_app.film_store import make_private_folder
from cxr_app.worklist.database_errors import translated_errors
from cxr_app.worklist.newest_tables import is_new, make_newest_tables

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "worklist_version"
HEAD = "0026"
"""The newest revision; named here so that opening an up-to-date database needs no Alembic."""

LOCK_TIMEOUT_SECONDS = 30
SERVER_LOST = {
    "connect_timeout": "10",
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
}
"""When a server that says nothing counts as lost: libpq's words, of which CXR_DATABASE_URL may say
others. One that lost its power or its address never ends a connection, and Linux waits for hours.
"""
UPGRADE_LOCK = 0x435852  # any number that all servers share: "CXR"


class Database:
    """Connections to one database, opened once and shared by all threads.

    Parameters
    ----------
    url
        ``sqlite:///FILE`` or ``postgresql+psycopg://...``. A missing SQLite file is created,
        readable by this user only.
    lock_timeout
        Seconds to wait for another program that holds the database.

    Attributes
    ----------
    engine
        SQLAlchemy's.
    insert
        The database's own INSERT, which can skip rows that exist already.

    Raises
    ------
    SettingsError
        If the URL names no database that this program can use.
    WorklistError
        If the database cannot be opened or upgraded.
    """

    def __init__(self, url: str, lock_timeout: int = LOCK_TIMEOUT_SECONDS) -> None:
        self._file = sqlite_file(url)
        if self._file is not None:
            _make_private_file(self._file)
        self.engine = connect(url, lock_timeout)
        is_sqlite = self.engine.dialect.name == "sqlite"
        self.insert: Callable[..., Any] = sqlite.insert if is_sqlite else postgresql.insert
        self._reading = sessionmaker(self._engine_for_reading(), expire_on_commit=False)
        self._writing = sessionmaker(self.engine.execution_options(writes=True))
        try:
            with translated_errors():
                _upgrade(self.engine)
        except WorklistError:
            self.engine.dispose()
            raise
        self._identity = _identity(self._file)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session with one unchanging snapshot of the database; writers do not wait."""
        self._require_file()
        with translated_errors(), self._reading.begin() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session with one transaction: afterwards all of it is on the disk, or nothing."""
        self._require_file()
        with translated_errors(), self._writing.begin() as session:
            yield session
        self._require_file()  # else what was written is lost

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _require_file(self) -> None:
        """Refuse to go on with a SQLite file that is gone: open connections would not notice."""
        if _identity(self._file) != self._identity:
            raise WorklistError(
                f"The worklist {self._file} was deleted or replaced while the program had it open. "
                "Stop every program that uses it, restore it from a backup, then start again; "
                "what was not acknowledged is entered then."
            )

    def _engine_for_reading(self) -> Engine:
        if self.engine.dialect.name == "sqlite":  # every transaction has a snapshot
            return self.engine
        reading = self.engine.execution_options(isolation_level="REPEATABLE READ")
        event.listen(reading, "begin", _plan_anew)
        return reading


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite worklist; None for PostgreSQL.

    Raises
    ------
    SettingsError
        If the URL names no database that this program can use.
    """
    address = _parse(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number
        raise SettingsError(
            "CXR_DATABASE_URL is not a database's address; expected "
            "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, for several servers "
            "postgresql+psycopg://USER:PASSWORD@/DATABASE?host=HOST:PORT&host=HOST:PORT, or "
            "sqlite:///FILE."
        ) from None  # the original repeats the password
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise SettingsError(
            f"CXR_DATABASE_URL names {address.drivername!r}; expected postgresql+psycopg://... "
            "or sqlite:///FILE."
        )
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise SettingsError(
            "CXR_DATABASE_URL names a SQLite database in memory, which would lose the worklist; "
            "expected sqlite:///FILE."
        )
    return address


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another of its name; None if there is none."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _make_private_file(path: Path) -> None:
    """Create or protect the file; SQLite gives its journals the mode of the file."""
    try:
        make_private_folder(path.parent)
        if not path.exists():
            path.touch(mode=0o600)
        elif path.stat().st_uid == os.getuid():
            path.chmod(0o600)
    except OSError as error:
        raise WorklistError(
            f"The worklist {path} cannot be opened: {error.strerror}. "
            "Check the folder and its rights, or choose another by CXR_DATA_DIR."
        ) from error


class _HintingCompiler(SQLiteCompiler):
    """Compiler that adds a statement's INDEXED BY, which SQLAlchemy leaves out."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """Return the hint unchanged."""
        return text


def connect(url: str, lock_timeout: int = LOCK_TIMEOUT_SECONDS) -> Engine:
    """Return connections to a worklist whose tables are left as they are.

    Raises
    ------
    SettingsError
        If the URL names no database that this program can use.
    """
    address = _parse(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(
            address,
            hide_parameters=True,
            pool_size=8,
            max_overflow=56,
            connect_args={"timeout": lock_timeout},
        )
        engine.dialect.statement_compiler = _HintingCompiler
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            _patient(address, lock_timeout),
            hide_parameters=True,
            pool_size=8,
            max_overflow=24,
            pool_pre_ping=True,  # the server may have been restarted since
        )
    except (ImportError, NoSuchModuleError) as error:
        raise SettingsError(
            "PostgreSQL needs psycopg, which is not installed. Run: pip install 'psycopg[binary]'."
        ) from error
    _require_known_options(engine)
    return engine


def _patient(address: URL, lock_timeout: int) -> URL:
    """Return PostgreSQL's address with how long to wait, unless it says so itself."""
    own = address.query.get("options", ())
    stated = (own,) if isinstance(own, str) else own
    # Compiling a statement takes longer than it runs.
    options = " ".join([*stated, f"-c lock_timeout={lock_timeout}s", "-c jit=off"])
    return address.set(query={**SERVER_LOST, **address.query, "options": options})


def _require_known_options(engine: Engine) -> None:
    """Refuse an option behind the address that psycopg does not know."""
    from psycopg import ProgrammingError, conninfo

    _, options = engine.dialect.create_connect_args(engine.url)
    options.pop("context", None)  # psycopg's own, not libpq's
    try:
        conninfo.make_conninfo(**options)
    except ProgrammingError as error:  # it quotes the option's name, not its value
        raise SettingsError(
            f"CXR_DATABASE_URL cannot be used: {str(error).strip()}. Correct what stands behind "
            "its '?'."
        ) from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # `_begin_sqlite` sends BEGIN
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk
    connection.execute("PRAGMA secure_delete = ON")  # deleted means overwritten
    _switch_to_wal(connection)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL: readers and a writer work at once. The first switch needs the file alone."""
    deadline = time.monotonic() + patience_of(connection)
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def patience_of(connection: sqlite3.Connection) -> float:
    """Return for how many seconds a connection waits for whoever holds the database."""
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    return float(milliseconds) / 1000


def _begin_sqlite(connection: Connection) -> None:
    """Acquire the write lock at once for a writing session: upgrading a read lock later can fail.

    Statements that must not run in a transaction use the option ``bare``.
    """
    options = connection.get_execution_options()
    if not options.get("bare", False):
        writes = options.get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _plan_anew(connection: Connection) -> None:
    """Have PostgreSQL plan each query by its values: else it may read a million films for one."""
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None if there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = table(VERSION_TABLE, column("version_num", String))
    return connection.scalar(select(version.c.version_num))


def _upgrade(engine: Engine) -> None:
    """Create the tables, or upgrade those of an older program; one process at a time."""
    with engine.connect() as connection:
        if stored_revision(connection) == HEAD:
            return
    with engine.execution_options(writes=True).begin() as connection:
        lock_for_upgrade(connection)
        if is_new(connection):
            make_newest_tables(connection)
        elif stored_revision(connection) != HEAD:
            migrate(connection)


def server_clock(url: str) -> datetime:
    """Return the time of PostgreSQL's server, aware.

    Raises
    ------
    WorklistError
        If it cannot be asked.
    """
    engine = connect(url)
    try:
        with translated_errors(), engine.connect() as connection:
            now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return now
    finally:
        engine.dispose()


def lock_for_upgrade(connection: Connection) -> None:
    """Let one process at a time upgrade, until the end of this transaction."""
    if connection.dialect.name == "postgresql":  # a writing transaction of SQLite is alone anyway
        connection.execute(text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"))


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, within the transaction of the connection.

    Raises
    ------
    WorklistError
        If a newer program has changed them.
    """
    # Imported here: the import takes ten times as long as opening an up-to-date database.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise WorklistError(
            f"The worklist was written by a newer version of this program ({error}). "
            "Start that version, or restore a backup from before it."
        ) from error
