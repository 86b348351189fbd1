"""Every fault that a database can have, and how the worklist opens its file or server."""

import os
import socket
import sqlite3
import stat
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from cxr_app.errors import CxrError, SettingsError, WorklistError
from cxr_app.radiograph import Header
from cxr_app.worklist import Query, Worklist, database
from cxr_app.worklist.database_errors import translated_errors
from cxr_app.worklist.tables import EntryRow
from tests.integration.conftest import DatabaseFactory, PostgresServer
from tests.support.outcomes import scored, sha256

PATH = Path("/film")


def test_only_this_user_can_read_the_worklist(tmp_path: Path) -> None:
    file = tmp_path / "data" / "deep" / "worklist.sqlite"
    worklist = Worklist.open(f"sqlite:///{file}")
    worklist.receive(sha256(1), "-", PATH)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    worklist.close()
    assert modes.pop("worklist.sqlite") == 0o600
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700


def test_a_worklist_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "worklist.sqlite"
    file.touch(mode=0o644)
    Worklist.open(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_acknowledged_survives_a_power_cut_and_what_was_deleted_is_gone(
    tmp_path: Path,
) -> None:
    """SQLite flushes at every commit (2 = FULL), keeps its journal and overwrites old values."""
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'worklist.sqlite'}")
    with worklist._database.engine.connect() as connection:
        pragmas = ("synchronous", "journal_mode", "foreign_keys", "secure_delete")
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    worklist.close()
    assert settings == [2, "wal", 1, 1]


@pytest.mark.parametrize(
    "url",
    [
        *("", "worklist.sqlite", "mysql://user:secret@host/db", "sqlite://", "sqlite:///:memory:"),
        *("postgresql://user:secret@host:port/db"),
        *(
            "postgresql://user:secret@one:5432,two:5432/db",
            "postgresql://user:secret@host/db?sslmod=x",
        ),
    ],
)
def test_an_address_of_no_usable_database_is_named_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="CXR_DATABASE_URL") as caught:
        Worklist.open(url)
    assert "secret" not in str(caught.value)


def test_postgresql_is_reached_by_its_plain_name_too(postgres: PostgresServer) -> None:
    url = postgres.url("postgres").replace("+psycopg", "")
    Worklist.open(url).close()


def shown(url: str, *names: str) -> list[str]:
    """Return settings of the server as a connection of the worklist's has them."""
    engine = database.connect(url)
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
    engine.dispose()
    return found


def test_options_of_the_address_hold_beside_ours(postgres: PostgresServer) -> None:
    options = "-c%20search_path%3Dtriage%20-c%20statement_timeout%3D7s"
    url = f"{postgres.url('postgres')}?options={options}"
    names = "search_path", "statement_timeout", "lock_timeout", "jit"
    assert shown(url, *names) == ["triage", "7s", "30s", "off"]


def test_the_server_that_accepts_changes_is_found_among_several(postgres: PostgresServer) -> None:
    there = f"host=127.0.0.1:1&host=127.0.0.1:{postgres.port}&target_session_attrs=read-write"
    Worklist.open(f"postgresql+psycopg://tests@/postgres?{there}").close()


@pytest.mark.parametrize(("stated", "idle"), [("", 20), ("?keepalives_idle=5", 5)])
def test_a_server_that_lost_its_power_is_noticed_within_a_minute(
    postgres: PostgresServer, stated: str, idle: int
) -> None:
    """It ends no connection: only the system's own questions tell that nobody is there."""
    engine = database.connect(postgres.url("postgres") + stated)
    with engine.connect() as connection:
        connected = connection.connection.driver_connection
        assert connected is not None
        with socket.socket(fileno=os.dup(connected.pgconn.socket)) as own:
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            asked = [own.getsockopt(socket.IPPROTO_TCP, name) for name in names]
            longest = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    engine.dispose()
    assert asked == [idle, 10, 4]
    assert longest == 60_000


# Faults


def refusal_of(url: str) -> str:
    with pytest.raises(CxrError) as caught:
        Worklist.open(url)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "worklist.sqlite"
    file.write_bytes(b"MZ" * 5000)
    assert "not a database" in refusal_of(f"sqlite:///{file}")
    assert file.read_bytes() == b"MZ" * 5000


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "CXR_DATA_DIR" in refusal_of(f"sqlite:///{tmp_path / 'file' / 'worklist.sqlite'}")


def test_a_missing_server_is_reported_as_unreachable() -> None:
    assert "cannot be reached" in refusal_of("postgresql+psycopg://nobody@127.0.0.1:1/worklist")


def test_a_database_that_is_not_there_is_not_made(postgres: PostgresServer) -> None:
    assert "CXR_DATABASE_URL" in refusal_of(postgres.url("nowhere"))


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Worklist]:
    """A worklist whose connections a test may spoil, by listening to them."""
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'worklist.sqlite'}")
    worklist.receive(sha256("before"), "-", PATH)
    yield worklist
    worklist.close()


def _on_connecting(worklist: Worklist, pragma: str) -> None:
    engine = worklist._database.engine
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))


def test_a_full_disk_says_so_and_loses_nothing(broken: Worklist) -> None:
    _on_connecting(broken, "max_page_count = 1")
    with pytest.raises(WorklistError, match=r"SQLITE_FULL.*disk is full"):
        broken.receive(sha256(1), "x" * 100_000, PATH)
    assert broken.entry_by_sha256(sha256("before")) is not None


def test_a_read_only_database_says_so(broken: Worklist) -> None:
    _on_connecting(broken, "query_only = ON")
    with pytest.raises(WorklistError, match="read-only"):
        broken.receive(sha256(1), "-", PATH)
    assert broken.count(Query()) == 1


def test_a_locked_database_says_so(broken: Worklist, tmp_path: Path) -> None:
    _on_connecting(broken, "busy_timeout = 50")
    other = sqlite3.connect(tmp_path / "worklist.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WorklistError, match="locked by another program"):
        broken.receive(sha256(1), "-", PATH)
    assert broken.count(Query()) == 1  # reading goes on
    other.close()
    broken.receive(sha256(1), "-", PATH)


def test_a_damaged_database_says_so(broken: Worklist, tmp_path: Path) -> None:
    for film in range(50):
        broken.receive(sha256(film), "x" * 500, PATH)
    broken.close()
    file = tmp_path / "worklist.sqlite"
    data = bytearray(file.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(WorklistError, match="damaged"):
        Worklist.open(f"sqlite:///{file}").page(Query())


def test_a_read_only_server_says_so(
    new_database: DatabaseFactory, postgres: PostgresServer
) -> None:
    url = new_database("postgresql")
    Worklist.open(url).close()
    name = url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    worklist = Worklist.open(url)
    with pytest.raises(WorklistError, match="read-only"):
        worklist.receive(sha256(1), "-", PATH)
    assert worklist.count(Query()) == 0
    worklist.close()


def ask(worklist: Worklist, statements: tuple[str, ...]) -> None:
    """Execute statements in one transaction, with pauses."""
    with worklist._database.reading() as session:
        for statement in statements:
            session.execute(text(statement))
            time.sleep(0.5)


@pytest.mark.parametrize(
    ("limit", "statement"),
    [
        ("statement_timeout", "SELECT pg_sleep(5)"),
        ("idle_in_transaction_session_timeout", "SELECT 1"),
    ],
)
def test_a_limit_of_the_server_is_named(
    new_database: DatabaseFactory, limit: str, statement: str
) -> None:
    """It holds for one transaction: on a busy machine, opening takes longer than that."""
    worklist = Worklist.open(new_database("postgresql", upgraded=True))
    with pytest.raises(WorklistError, match=limit):
        ask(worklist, (f"SET LOCAL {limit} = '300ms'", statement))
    assert worklist.count(Query()) == 0
    worklist.close()


def test_a_restarted_server_is_found_again(
    new_database: DatabaseFactory, postgres: PostgresServer
) -> None:
    worklist = Worklist.open(new_database("postgresql"))
    worklist.receive(sha256(1), "-", PATH)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname LIKE 'worklist_%'"
    )
    assert worklist.count(Query()) == 1
    worklist.close()


def test_an_error_message_has_no_patient_data(
    worklist: Worklist, caplog: pytest.LogCaptureFixture
) -> None:
    worklist.receive(sha256(1), "-", PATH)
    worklist.record(scored(1, header=Header(patient_name="SECRET^NAME")))
    with pytest.raises(WorklistError, match="report this") as caught:  # noqa: SIM117
        with worklist._database.writing() as session:
            session.query(EntryRow).update({"patient_name": "SECRET^OTHER", "tier": 7})
    reported = "".join(traceback.format_exception(caught.value)) + caplog.text + str(caught.value)
    assert "SECRET^" not in reported.replace('"SECRET^OTHER"', "")  # but for this test's own line


def test_a_fault_of_the_program_is_not_reported_as_one_of_the_database(worklist: Worklist) -> None:
    with pytest.raises(AttributeError), worklist._database.reading() as session:
        session.no_such_verb()  # type: ignore[attr-defined]


def test_a_value_that_no_database_takes_is_a_fault_of_the_program(broken: Worklist) -> None:
    with pytest.raises(DBAPIError), broken._database.reading() as session:
        session.execute(text("SELECT :value"), {"value": object()})


def test_a_worklist_without_a_free_connection_says_it_is_busy(tmp_path: Path) -> None:
    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}", **options)
    with engine.connect(), pytest.raises(WorklistError, match="busy"), translated_errors():
        engine.connect()
    engine.dispose()


def test_a_new_worklist_waits_for_who_holds_its_file(tmp_path: Path) -> None:
    file = tmp_path / "worklist.sqlite"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE other (number)")
    other.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    with pytest.raises(WorklistError, match="locked by another program"):
        Worklist.open(f"sqlite:///{file}", lock_timeout=1)
    assert time.monotonic() - begun < database.LOCK_TIMEOUT_SECONDS / 2, "its own time counts"
    other.close()
    Worklist.open(f"sqlite:///{file}").close()


def test_a_missing_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install" in refusal_of("postgresql://127.0.0.1/worklist")
