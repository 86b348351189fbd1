"""Many at once, killed at any moment, and every fault that a database can have."""

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from cxr_app.errors import CxrError, SettingsError, WorklistError
from cxr_app.radiograph import Header
from cxr_app.worklist import JobState, Query, Verdict, Worklist, database
from cxr_app.worklist.migrations.versions.long_lists import NEW, SQLITE_ONLY
from cxr_app.worklist.tables import EntryRow, Table
from tests.integration.conftest import DatabaseFactory, PostgresServer
from tests.support.outcomes import scored, sha256

PATH = Path("/film")
PROJECT = Path(__file__).resolve().parents[2]

RECEIVE_FOREVER = """
import sys
from pathlib import Path
from cxr_app.worklist import Worklist
from tests.support.outcomes import scored, sha256

worklist = Worklist.open(sys.argv[1])
for film in range(1_000_000):
    name = f"{sys.argv[2]}-{film}"
    worklist.receive(sha256(name), name, Path("/film"))
    print(f"received {name}", flush=True)
    worklist.record(scored(name))
    print(f"scored {name}", flush=True)
"""


# Many at once


def test_one_film_from_sixteen_threads_is_one_entry(worklist: Worklist) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: worklist.receive(sha256(1), "-", PATH), range(48), timeout=100)
        )
    assert len({entry_id for entry_id, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1
    assert worklist.count(Query()) == 1


def test_one_score_from_sixteen_threads_is_one_line_of_history(worklist: Worklist) -> None:
    entry_id, _ = worklist.receive(sha256(1), "-", PATH)
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(lambda n: worklist.record(scored(1, 0.5, f"m-{n % 2}")), range(32)):
            pass
    assert {score.model_version for score in worklist.scores(entry_id)} == {"m-0", "m-1"}
    assert len(worklist.scores(entry_id)) == 2


def test_readers_and_writers_do_not_hold_each_other_up(worklist: Worklist) -> None:
    def work(film: int) -> None:
        worklist.receive(sha256(film), "-", PATH)
        worklist.record(scored(film))
        worklist.page(Query(text="-"))
        worklist.counts()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(32), timeout=100))
    assert worklist.count(Query(flag="flagged")) == 32


def _start(url: str, name: str, out: Path) -> "subprocess.Popen[bytes]":
    with out.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", RECEIVE_FOREVER, url, name], cwd=PROJECT, stdout=file
        )


def _acknowledged(out: Path) -> list[list[str]]:
    return [line.split() for line in out.read_text().splitlines(keepends=True) if line[-1] == "\n"]


def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    worklist_url: str, tmp_path: Path
) -> None:
    """They also open the empty database at the same time, so that all want to create it."""
    outs = [tmp_path / f"{name}.txt" for name in range(3)]
    processes = [_start(worklist_url, out.stem, out) for out in outs]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(len(_acknowledged(out)) < 20 for out in outs):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
    worklist = Worklist.open(worklist_url)
    for out in outs:
        lines = _acknowledged(out)
        assert len(lines) >= 20
        for what, name in lines:
            entry = worklist.entry_by_sha256(sha256(name))
            assert entry is not None
            assert what == "received" or sha256(name) in worklist.scored_by("model-1")
    worklist.close()


# Opening


@pytest.fixture
def engine(worklist_url: str) -> Iterator[Engine]:
    """A connection of the test's own to a migrated database."""
    Worklist.open(worklist_url).close()
    engine = create_engine(worklist_url)
    yield engine
    engine.dispose()


def _schema(engine: Engine) -> set[tuple[str, ...]]:
    """Say everything that the database knows of the worklist's tables, checks included."""
    statements = {
        "sqlite": (
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE tbl_name LIKE 'worklist_%' AND tbl_name NOT LIKE '%version' "
            "AND name NOT LIKE 'worklist_search%' AND name NOT LIKE 'worklist_tally%' "
            "AND sql IS NOT NULL"
        ),
        "postgresql": (
            "SELECT 'check', conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid::regclass::text LIKE 'worklist_%' AND conname NOT LIKE '%version%pkc' "
            "UNION SELECT 'index', indexname, indexdef FROM pg_indexes "
            "WHERE tablename LIKE 'worklist_%' AND indexname NOT LIKE '%version%' "
            "AND indexname <> 'worklist_search' "
            "UNION SELECT table_name, column_name, concat_ws(' ', data_type, is_nullable, "
            "character_maximum_length, collation_name) FROM information_schema.columns "
            "WHERE table_name LIKE 'worklist_%' AND table_name NOT LIKE '%version'"
        ),
    }
    with engine.connect() as connection:
        rows = connection.execute(text(statements[engine.dialect.name]))
        return {tuple(_in_any_order(str(cell)) for cell in row) for row in rows}


def _in_any_order(definition: str) -> str:
    """Columns and constraints of one table may stand in any order: later columns come last."""
    parts = re.split(r",\s|\n", definition.removesuffix(")"))
    return "\n".join(sorted(filter(None, (part.strip() for part in parts))))


AIDS = ("worklist_search", "worklist_tally")
"""What the databases keep by themselves; tested by the answers that it gives."""


def _is_known(_thing: object, name: str | None, _kind: str, in_database: bool, _: object) -> bool:
    """Leave out also the indexes that only SQLite has, which Alembic expects everywhere."""
    if in_database:
        return name is None or not name.startswith(AIDS)
    return name not in {f"ix_worklist_entry_{each}" for each in SQLITE_ONLY}


def test_migrating_makes_the_tables_that_the_program_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": database.VERSION_TABLE, "include_object": _is_known},
        )
        assert compare_metadata(context, Table.metadata) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrating_makes_the_same_constraints_and_indexes(
    kind: str, new_database: DatabaseFactory
) -> None:
    """Alembic compares neither checks nor the conditions of indexes."""
    migrated_url = new_database(kind)
    Worklist.open(migrated_url).close()
    migrated, created = create_engine(migrated_url), create_engine(new_database(kind))
    Table.metadata.create_all(created)
    schemas = _schema(migrated), _schema(created)
    for each in (migrated, created):
        each.dispose()
    assert schemas[0] == schemas[1]


def test_a_worklist_of_the_first_version_is_brought_up_to_date(worklist_url: str) -> None:
    before = Worklist.open(worklist_url)
    before.receive(sha256(1), "a.dcm", Path("/film"))
    film = before.record(scored(1))
    before.mark_read(film)
    before.close()
    _take_back_to_first_version(worklist_url)
    after = Worklist.open(worklist_url)
    assert after.count(Query(state="read")) == 1
    assert after.jobs.submit("backlog", {}).state is JobState.SCHEDULED
    after.reviews.add(film, "Weiss", Verdict.AGREE)
    assert after.entry(film).read_by == "Weiss"
    after.close()


def _take_back_to_first_version(url: str) -> None:
    """Leave of the tables what there was at first."""
    first = {"worklist_entry", "worklist_score"}
    engine = create_engine(url)
    with engine.begin() as connection:
        later = [table for name, table in Table.metadata.tables.items() if name not in first]
        Table.metadata.drop_all(connection, later)
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TABLE worklist_tally"))
            connection.execute(text("DROP TABLE worklist_search_term"))
            connection.execute(text("DROP TABLE worklist_search"))
            connection.execute(text("DROP VIEW worklist_search_text"))
            for name in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("DROP INDEX IF EXISTS worklist_search"))
        for name in ("read_at", *NEW, *(SQLITE_ONLY if engine.dialect.name == "sqlite" else ())):
            connection.execute(text(f"DROP INDEX ix_worklist_entry_{name}"))
        for column in ("read_by", "film_deleted_at"):
            connection.execute(text(f"ALTER TABLE worklist_entry DROP COLUMN {column}"))
        later_columns = ("heat_begin", "heat_full", "lung_mask", "lung_mask_rows")
        for column in (*later_columns, "lung_mask_columns", "lungs_found"):
            connection.execute(text(f"ALTER TABLE worklist_score DROP COLUMN {column}"))
        connection.execute(text(f"UPDATE {database.VERSION_TABLE} SET version_num = '0001'"))  # noqa: S608
    engine.dispose()


def test_the_newest_step_is_the_one_that_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_a_worklist_of_a_newer_program_is_refused(engine: Engine, worklist_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {database.VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608
    with pytest.raises(WorklistError, match="newer version of this program"):
        Worklist.open(worklist_url)


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
        asked = ("synchronous", "journal_mode", "foreign_keys", "secure_delete")
        said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    worklist.close()
    assert said == [2, "wal", 1, 1]


@pytest.mark.parametrize(
    "url",
    ["", "worklist.sqlite", "mysql://user:secret@host/db", "sqlite://", "sqlite:///:memory:"],
)
def test_an_address_of_no_usable_database_is_named_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="CXR_DATABASE_URL") as caught:
        Worklist.open(url)
    assert "secret" not in str(caught.value)


def test_postgresql_is_reached_by_its_plain_name_too(postgres: PostgresServer) -> None:
    url = postgres.url("postgres").replace("+psycopg", "")
    Worklist.open(url).close()


# Faults


def _say(url: str) -> str:
    with pytest.raises(CxrError) as caught:
        Worklist.open(url)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "worklist.sqlite"
    file.write_bytes(b"MZ" * 5000)
    assert "not a database" in _say(f"sqlite:///{file}")
    assert file.read_bytes() == b"MZ" * 5000


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "CXR_DATA_DIR" in _say(f"sqlite:///{tmp_path / 'file' / 'worklist.sqlite'}")


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    assert "cannot be reached" in _say("postgresql+psycopg://nobody@127.0.0.1:1/worklist")


def test_a_database_that_is_not_there_is_not_made(postgres: PostgresServer) -> None:
    assert "CXR_DATABASE_URL" in _say(postgres.url("nowhere"))


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


def test_a_fault_tells_nothing_of_the_patient(
    worklist: Worklist, caplog: pytest.LogCaptureFixture
) -> None:
    worklist.receive(sha256(1), "-", PATH)
    worklist.record(scored(1, header=Header(patient_name="SECRET^NAME")))
    with pytest.raises(WorklistError, match="report this") as caught:  # noqa: SIM117
        with worklist._database.writing() as session:
            session.query(EntryRow).update({"patient_name": "SECRET^OTHER", "tier": 7})
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + str(caught.value)
    assert "SECRET^" not in told.replace('"SECRET^OTHER"', "")  # but for this test's own line


def test_a_fault_in_the_program_is_not_told_as_one_of_the_database(worklist: Worklist) -> None:
    with pytest.raises(AttributeError), worklist._database.reading() as session:
        session.no_such_verb()  # type: ignore[attr-defined]


def test_a_value_that_no_database_takes_is_a_fault_of_the_program(broken: Worklist) -> None:
    with pytest.raises(DBAPIError), broken._database.reading() as session:
        session.execute(text("SELECT :value"), {"value": object()})


def test_a_worklist_without_a_free_connection_says_it_is_busy(tmp_path: Path) -> None:
    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}", **options)
    with engine.connect(), pytest.raises(WorklistError, match="busy"), database.translated_errors():
        engine.connect()
    engine.dispose()


def test_a_new_worklist_waits_for_who_holds_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "worklist.sqlite"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE other (number)")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(database, "LOCK_TIMEOUT_SECONDS", 0.1)
    assert "locked by another program" in _say(f"sqlite:///{file}")
    other.close()
    Worklist.open(f"sqlite:///{file}").close()


def test_a_missing_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install" in _say("postgresql://127.0.0.1/worklist")
