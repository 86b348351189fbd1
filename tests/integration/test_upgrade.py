"""An installation of an earlier version is upgraded whole, or stays as it was and works."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select

from cxr_app import admin
from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.operations.upgrade import upgrade
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.settings import PROJECT, Settings
from cxr_app.worklist import Query, Verdict, Worklist, database
from cxr_app.worklist.stored_schema import stored_schema, stored_tables
from tests.integration.conftest import DatabaseFactory
from tests.support import earlier_version

REVISION = "0008"
FILMS = 9


def steps() -> list[str]:
    """Return the revisions since the earlier version, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    found = [step.revision for step in script.walk_revisions(REVISION, "head")]
    return found[::-1][1:]


@pytest.fixture
def old(tmp_path: Path, empty_url: str) -> Settings:
    """The installation that version 0.2.0 left."""
    settings = Settings(data_dir=tmp_path / "data", database_url=empty_url)
    if empty_url.startswith("sqlite"):
        settings = Settings(data_dir=tmp_path / "data")
    settings.data_dir.mkdir(mode=0o700)
    earlier_version.unpack(settings)
    return settings


@pytest.fixture
def run(old: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command with the settings of an installation, by default the old one."""

    def command(*arguments: object, settings: Settings = old) -> int:
        monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
        monkeypatch.setenv("CXR_DATABASE_URL", settings.database_url)
        return admin.main(list(map(str, arguments)))

    return command


def held(settings: Settings) -> tuple[object, ...]:
    """Return everything that an earlier program would find: tables, indexes, rows, files.

    It looks at no audit, where this program records that it was asked to upgrade.
    """
    engine = create_engine(settings.worklist_url)
    with engine.connect() as connection:
        found = inspect(connection)
        tables = stored_tables(connection)
        names = [
            (
                table.name,
                sorted(str(column["name"]) for column in found.get_columns(table.name)),
                sorted(str(index["name"]) for index in found.get_indexes(table.name)),
            )
            for table in tables
        ]
        order = [select(table).order_by(*table.primary_key.columns) for table in tables]
        rows = [[tuple(row) for row in connection.execute(each)] for each in order]
    engine.dispose()
    files = {
        path.relative_to(settings.data_dir): path.read_bytes()
        for path in sorted(settings.data_dir.rglob("*"))
        if path.is_file()
        and not path.name.startswith("worklist.sqlite")
        and not path.is_relative_to(settings.audit_folder)
    }
    return names, rows, files, stored_schema(settings.worklist_url)


def test_an_installation_of_the_version_before_is_upgraded(
    old: Settings, run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored_schema(old.worklist_url).revision == REVISION
    assert run("upgrade", tmp_path / "backup") == 0, capsys.readouterr().err
    assert f"Upgraded: {FILMS} films" in capsys.readouterr().out
    assert stored_schema(old.worklist_url).is_current
    assert run("verify", tmp_path / "backup") == 0
    worklist, films = Worklist.open(old.worklist_url), FilmStore(old.films_dir)
    entries = worklist.page(Query(state="all"))
    kept = [entry for entry in entries if entry.film_deleted_at is None]
    assert (len(entries), len(kept)) == (FILMS, FILMS - 1)
    for entry in kept:
        assert films.read(entry.sha256)
        assert entry.path == films.path(entry.sha256)
    first = next(entry for entry in entries if entry.source == "0.dcm")
    assert [(each.reader, each.comment) for each in worklist.reviews.of_film(first.id)] == [
        ("Weiss", "clear")
    ]
    assert worklist.count(Query(state="all", text="zebedea")) == 5
    worklist.reviews.add(kept[-1].id, "Ada", Verdict.DISAGREE)
    engine = ScoringEngine(old, worklist)  # the promoted network of that version
    engine.start()
    deadline = time.monotonic() + 120
    while worklist.next_received() and time.monotonic() < deadline:
        time.sleep(0.1)
    engine.stop()
    assert not worklist.next_received(), engine.status().message
    worklist.close()
    assert run("upgrade", tmp_path / "backup") == 0
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_backup_of_an_upgrade_is_restored_on_any_database(
    old: Settings,
    run: Callable[..., int],
    tmp_path: Path,
    new_database: DatabaseFactory,
    kind: str,
) -> None:
    assert run("backup", tmp_path / "backup") == 0
    assert stored_schema(old.worklist_url).revision == REVISION, "a backup upgrades nothing"
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=new_database(kind))
    assert run("restore", tmp_path / "backup", settings=elsewhere) == 0
    assert run("upgrade", tmp_path / "again") == 0
    with closing(Worklist.open(old.worklist_url)) as here:
        upgraded = {entry.id: entry for entry in here.page(Query(state="all"))}
        counts = here.counts()
    with closing(Worklist.open(elsewhere.worklist_url)) as there:
        restored = {entry.id: entry for entry in there.page(Query(state="all"))}
        assert upgraded.keys() == restored.keys()
        assert all(each.sha256 == upgraded[name].sha256 for name, each in restored.items())
        assert there.counts().read == counts.read


def break_step(monkeypatch: pytest.MonkeyPatch, folder: Path, revision: str, where: str) -> None:
    """Let one step fail after its work, in the rehearsal or in the installation itself."""
    shutil.copytree(database.MIGRATIONS, folder)
    script = next(
        path
        for path in (folder / "versions").glob("*.py")
        if f'\nrevision = "{revision}"\n' in path.read_text()
    )
    fault = f"""
_whole = upgrade
def upgrade():
    _whole()
    if ("rehearsal" in str(op.get_bind().engine.url)) is {where == "rehearsal"}:
        raise RuntimeError("Zebedea")
"""
    script.write_text(script.read_text() + fault)
    monkeypatch.setattr(database, "MIGRATIONS", folder)


@pytest.mark.parametrize("revision", steps())
def test_a_step_that_fails_leaves_everything_as_it_was(
    old: Settings,
    revision: str,
    run: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = held(old)
    break_step(monkeypatch, tmp_path / "migrations", revision, "installation")
    assert run("upgrade", tmp_path / "backup") == 2
    assert held(old) == before


def test_an_upgrade_that_would_change_what_was_recorded_is_undone(
    old: Settings,
    run: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = held(old)
    for number, harm in enumerate(
        (
            "DELETE FROM worklist_review",
            "UPDATE worklist_entry SET read_by = 'Ada' WHERE read_by IS NOT NULL",
            "UPDATE worklist_score SET pneumonia_probability = 0.5",
        )
    ):
        folder = tmp_path / f"migrations-{number}"
        with monkeypatch.context() as broken:
            break_step(broken, folder, steps()[-1], "nowhere")
            for path in (folder / "versions").glob("*.py"):
                harmful = path.read_text().replace('raise RuntimeError("Zebedea")', "pass")
                path.write_text(
                    harmful.replace("    _whole()", f'    _whole(); op.execute("{harm}")')
                )
            assert run("upgrade", tmp_path / "backup") == 2
        assert "The upgrade would change what worklist_" in capsys.readouterr().err
        assert held(old) == before


def test_a_worklist_in_use_is_not_upgraded(
    old: Settings, run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = create_engine(old.worklist_url)
    before = held(old)
    with engine.connect() as server:
        server.exec_driver_sql("SELECT count(*) FROM worklist_entry")
        server.commit()  # a server that has nothing to do
        assert run("upgrade", tmp_path / "backup") == 2
    engine.dispose()
    assert "Stop every server" in capsys.readouterr().err
    assert not (tmp_path / "backup").exists()
    assert held(old) == before


def test_a_place_without_a_worklist_is_not_upgraded(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("upgrade", tmp_path / "b", settings=Settings(data_dir=tmp_path / "none")) == 2
    assert "There is no installation at" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kilobytes", [100, 250, 500])
def test_a_full_disk_leaves_everything_as_it_was(
    old: Settings, tmp_path: Path, kilobytes: int
) -> None:
    """A limit on the size of files stands for the disk: the copy, its journal and the real one."""
    before = held(old)
    limit = kilobytes * 1024

    def fill_the_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "cxr_app.admin", "upgrade", str(tmp_path / "backup")]
    settings = {"CXR_DATA_DIR": str(old.data_dir), "CXR_DATABASE_URL": old.database_url}
    ended = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **settings},
        preexec_fn=fill_the_disk,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        assert ended.returncode == 2, ended.stderr
        assert "Traceback" not in ended.stderr
        assert held(old) == before
    else:
        assert stored_schema(old.worklist_url).is_current


def earlier_program(folder: Path) -> Path:
    """Return the earlier version's own program."""
    try:
        earlier_version.program(earlier_version.VERSION, folder)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the history of the project with its tags is not here")
    return folder


EARLIER_PROGRAM = """
import sys
from pathlib import Path
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Verdict, Worklist
settings = Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2])
worklist = Worklist.open(settings.worklist_url)
entries = worklist.page(Query(state="all"))
worklist.reviews.add(entries[0].id, "Ada", Verdict.AGREE)
print(len(entries), worklist.counts().read)
"""


@pytest.mark.parametrize("where", ["rehearsal", "installation"])
def test_the_earlier_program_works_after_an_upgrade_that_failed(
    old: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    before = held(old)
    break_step(monkeypatch, tmp_path / "migrations", steps()[-1], where)
    with pytest.raises(
        WorklistError, match=r"failed .RuntimeError.* worklist is as it was"
    ) as told:
        upgrade(old, tmp_path / "backup")
    assert "Zebedea" not in str(told.value)
    assert held(old) == before
    assert_it_works(earlier_program(tmp_path / "program"), old)


def assert_it_works(program: Path, settings: Settings) -> None:
    command = [sys.executable, "-c", EARLIER_PROGRAM, str(settings.data_dir), settings.database_url]
    ended = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[0] == str(FILMS)


@pytest.mark.parametrize("empty_url", ["sqlite:///"])  # PostgreSQL has dumps
def test_the_backup_leads_back_to_the_earlier_program(
    old: Settings, run: Callable[..., int], tmp_path: Path
) -> None:
    program = earlier_program(tmp_path / "program")
    assert run("upgrade", tmp_path / "backup") == 0
    (worklist,) = (tmp_path / "backup").glob("worklist-*.sqlite")
    shutil.copyfile(worklist, old.data_dir / "worklist.sqlite")
    assert_it_works(program, old)
