"""A backup is consistent, incremental and checked, and is restored into any empty place."""

import hashlib
import json
import socket
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from cxr_app import admin
from cxr_app.film_store import FilmStore
from cxr_app.jobs.kinds import BACKLOG, REVIEWED
from cxr_app.settings import Settings
from cxr_app.worklist import JobState, Query, Worklist
from cxr_app.worklist.tables import Table
from tests.integration.conftest import DatabaseFactory
from tests.integration.test_worklist_migrations import LISTS_OF_POSTGRESQL
from tests.support.site import PLANTED, Site

Run = Callable[..., int]


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with the settings of a site, by default the first."""

    def command(*arguments: object, settings: Settings = site.settings) -> int:
        monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
        monkeypatch.setenv("CXR_DATABASE_URL", settings.database_url)
        monkeypatch.setenv("CXR_RETENTION_DAYS", str(settings.retention_days))
        return admin.main(list(map(str, arguments)))

    return command


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, but the paths."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: [
                tuple(value for name, value in row._mapping.items() if name != "path")
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Table.metadata.sorted_tables
        }
    engine.dispose()
    return found


def filled(site: Site) -> None:
    for number in range(5):
        site.read_film(b"film %d" % number)
    site.upload(b"unscored")
    site.worklist.unmasking.masking_key()
    (site.settings.models_dir).mkdir()
    (site.settings.models_dir / "m.safetensors").write_bytes(b"model")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everything_is_restored_into_an_empty_place(
    site: Site, run: Run, tmp_path: Path, new_database: DatabaseFactory, kind: str
) -> None:
    filled(site)
    backup = tmp_path / "backup"
    assert run("backup", backup) == 0
    assert run("verify", backup) == 0
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=new_database(kind))
    assert run("restore", backup, settings=elsewhere) == 0
    assert rows(elsewhere.worklist_url) == rows(site.settings.worklist_url)
    worklist = Worklist.open(elsewhere.worklist_url, site.clock)
    films = FilmStore(elsewhere.films_dir)
    for entry in worklist.page(Query(state="all")):
        assert entry.path == films.path(entry.sha256)
        assert films.read(entry.sha256) == site.films.read(entry.sha256)
    assert worklist.count(Query(state="all", text="zebedea")) == 5
    assert worklist.counts() == site.worklist.counts()
    new, _ = worklist.receive("d" * 64, "new", Path("/new"))  # numbers go on
    assert worklist.entry(new).id == new
    worklist.close()
    assert (elsewhere.models_dir / "m.safetensors").read_bytes() == b"model"


def test_a_restored_job_is_not_the_one_that_still_runs_where_it_was_backed_up(
    site: Site, run: Run, tmp_path: Path, new_database: DatabaseFactory
) -> None:
    """A person who cancels it in a trial restoration would end the other."""
    process = psutil.Process()
    job = site.worklist.jobs.submit(BACKLOG, {"folder": "/films"})
    site.worklist.jobs.claim(socket.gethostname(), [BACKLOG])
    site.worklist.jobs.begun(job.id, process.pid, process.create_time())
    run("backup", tmp_path / "backup")
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=new_database("sqlite"))
    assert run("restore", tmp_path / "backup", settings=elsewhere) == 0
    worklist = Worklist.open(elsewhere.worklist_url)
    found = worklist.jobs.job(job.id)
    running = worklist.jobs.running()
    worklist.close()
    assert (found.state, running) == (JobState.INTERRUPTED, [])
    assert "when the backup was made" in found.message
    assert site.worklist.jobs.job(job.id).state is JobState.RUNNING


def test_the_patients_of_a_retraining_are_in_no_backup(
    site: Site, run: Run, tmp_path: Path
) -> None:
    """They would stay there after the job, and after the retention time of their films."""
    place, backup = site.settings.jobs_dir / "job", tmp_path / "backup"
    place.mkdir(parents=True)
    (place / "log.txt").write_text("log")
    (place / REVIEWED).write_text("QX-18151210")
    assert run("backup", backup) == 0
    assert [path.name for path in (backup / "jobs" / "job").iterdir()] == ["log.txt"]
    (backup / "jobs" / "job" / REVIEWED).write_text("as an earlier version left it")
    assert run("backup", backup) == 0
    assert [path.name for path in (backup / "jobs" / "job").iterdir()] == ["log.txt"]
    assert run("verify", backup) == 0


def test_a_place_with_films_is_not_restored_into(
    site: Site, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(site)
    run("backup", tmp_path / "backup")
    before = rows(site.settings.worklist_url)
    assert run("restore", tmp_path / "backup") == 2
    assert "Restore into an empty place" in capsys.readouterr().err
    assert rows(site.settings.worklist_url) == before


def test_a_second_backup_copies_only_what_is_new(site: Site, run: Run, tmp_path: Path) -> None:
    filled(site)
    backup = tmp_path / "backup"
    run("backup", backup)
    before = {path: path.stat().st_ino for path in (backup / "films").rglob("*") if path.is_file()}
    new = site.worklist.entry(site.upload(b"new")).sha256
    assert run("backup", backup) == 0
    after = {path: path.stat().st_ino for path in (backup / "films").rglob("*") if path.is_file()}
    assert {path.name for path in after.keys() - before.keys()} == {new}
    assert before.items() <= after.items()
    assert len(list(backup.glob("worklist-*"))) == 1


def test_films_whose_time_has_ended_go_and_films_that_got_lost_stay(
    site: Site, run: Run, tmp_path: Path
) -> None:
    site.read_film(b"due")
    backup = tmp_path / "backup"
    run("backup", backup)
    site.days_pass()
    lost = site.worklist.entry(site.upload(b"lost")).sha256
    run("backup", backup)
    site.films.delete(lost)
    assert run("backup", backup) == 0
    assert [*FilmStore(backup / "films").stored()] == [lost]
    assert run("verify", backup) == 0
    assert not [
        path for path in backup.rglob("*") if path.is_file() and b"Zebedea" in path.read_bytes()
    ]


@pytest.mark.parametrize("harm", ["change", "delete"])
@pytest.mark.parametrize("what", ["films", "models", "worklist"])
def test_damage_is_found_and_not_restored(
    site: Site, run: Run, tmp_path: Path, harm: str, what: str
) -> None:
    filled(site)
    backup = tmp_path / "backup"
    run("backup", backup)
    found = [path for path in backup.rglob("*") if path.is_file()]
    victim = next(path for path in found if str(path.relative_to(backup)).startswith(what))
    if harm == "change":
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        victim.write_bytes(content)
    else:
        victim.unlink()
    assert run("verify", backup) == 1
    elsewhere = Settings(data_dir=tmp_path / "elsewhere")
    assert run("restore", backup, settings=elsewhere) == 2
    assert not elsewhere.films_dir.exists()


def test_a_damaged_film_never_replaces_a_whole_one(site: Site, run: Run, tmp_path: Path) -> None:
    path = site.worklist.entry(site.upload(b"film")).path
    run("backup", tmp_path / "backup")
    path.write_bytes(b"shorter or longer")
    assert run("backup", tmp_path / "backup") == 0
    assert run("verify", tmp_path / "backup") == 0


def test_a_film_that_is_lost_before_its_first_backup_is_told(
    site: Site, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.upload(b"another")
    site.films.delete(site.worklist.entry(site.upload(b"film")).sha256)
    assert run("backup", tmp_path / "backup") == 1
    assert "1 films of the worklist were not whole" in capsys.readouterr().err
    assert run("doctor") == 1
    assert "films: 1 films of the worklist are not in" in capsys.readouterr().out


def test_a_backup_while_films_arrive_is_consistent(site: Site, run: Run, tmp_path: Path) -> None:
    stop = threading.Event()
    site.upload(b"first")

    def upload() -> None:
        number = 0
        while not stop.is_set():
            site.score(site.upload(b"%d" % (number := number + 1)))

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        for _ in range(3):
            assert run("backup", tmp_path / "backup") == 0
            assert run("verify", tmp_path / "backup") == 0
    finally:
        stop.set()
        thread.join()


def test_only_the_user_can_read_a_backup_and_no_listing_names_a_patient(
    site: Site, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(site)
    backup = tmp_path / "backup"
    run("backup", backup)
    run("verify", backup)
    run("doctor")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (backup, *backup.rglob("*"))}
    assert not [path for path, mode in modes.items() if mode & 0o077]
    listing = capsys.readouterr().out + (backup / "backup.json").read_text()
    listing += " ".join(map(str, backup.rglob("*")))
    assert not [word for word in PLANTED.values() if word in listing]


def test_what_is_no_backup_is_refused(site: Site, run: Run, tmp_path: Path) -> None:
    assert run("verify", tmp_path) == 2
    assert run("restore", tmp_path) == 2


BEFORE_SWEEPS = (  # undoes each migration since
    "DROP TABLE worklist_second_reading",
    "ALTER TABLE worklist_review DROP COLUMN settles",
    "DROP TABLE worklist_destination",
    "DROP TABLE worklist_film_request",
    "DROP TABLE worklist_prefetch",
    "ALTER TABLE worklist_entry DROP COLUMN station_name",
    "DROP TABLE worklist_annotation",
    "DROP INDEX ix_worklist_entry_study_key",
    "ALTER TABLE worklist_entry DROP COLUMN study_key",
    "ALTER TABLE worklist_entry DROP COLUMN needs_no_score",
    "ALTER TABLE worklist_archive DROP COLUMN held_at",
    "DROP TABLE worklist_note",
    "DROP TABLE worklist_saved_view",
    "DROP INDEX ix_worklist_entry_assigned",
    *(
        f"ALTER TABLE worklist_entry DROP COLUMN {name}"
        for name in (
            *("urgent_by", "urgent_at", "urgent_reason"),
            *("assigned_to", "assigned_by", "assigned_at"),
        )
    ),
    "DROP TABLE worklist_proposal",
    "DROP TABLE worklist_further_file",
    "DROP TABLE worklist_attested_score",
    *(
        f"ALTER TABLE worklist_entry DROP COLUMN {name}"
        for name in ("attested_by", "attested_at", "quarter_turns", "mirrored")
    ),
    "DROP TABLE worklist_mark",
    "DROP TABLE worklist_sweep",
    "UPDATE worklist_version SET version_num = '0014'",
)


def test_a_backup_of_an_older_program_is_restored(
    site: Site, run: Run, tmp_path: Path, new_database: DatabaseFactory
) -> None:
    filled(site)
    backup = tmp_path / "backup"
    run("backup", backup)
    (snapshot,) = backup.glob("worklist-*")
    with closing(sqlite3.connect(snapshot)) as older:
        for statement in BEFORE_SWEEPS:
            older.execute(statement)
        older.commit()
    manifest = json.loads((backup / "backup.json").read_text())
    manifest["worklist_sha256"] = hashlib.sha256(snapshot.read_bytes()).hexdigest()
    (backup / "backup.json").write_text(json.dumps(manifest))
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=new_database("sqlite"))
    before = snapshot.read_bytes()
    assert run("restore", backup, settings=elsewhere) == 0
    assert snapshot.read_bytes() == before, "the backup stays as it is"
    assert rows(elsewhere.worklist_url) == rows(site.settings.worklist_url)


def test_a_data_folder_of_an_older_program_is_upgraded_and_examined(
    site: Site, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    film = site.read_film(b"film")
    site.worklist.close()
    engine = create_engine(site.settings.worklist_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for statement in LISTS_OF_POSTGRESQL:
                connection.execute(text(statement))
        for statement in BEFORE_SWEEPS:
            connection.execute(text(statement))
    engine.dispose()
    upgraded = Site(site.settings, site.clock)
    assert upgraded.worklist.entry(film).read_by == "Weiss"
    assert upgraded.days_pass() == 1
    run("doctor")
    upgraded.worklist.close()
    assert "worklist: well" in capsys.readouterr().out
