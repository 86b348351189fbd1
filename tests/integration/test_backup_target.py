"""A backup is replaced only by a later state of the same installation, and holds no other."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cxr_app import admin
from cxr_app.audit.event import AuditKind
from cxr_app.audit.log import AuditLog
from cxr_app.film_store import FilmStore
from cxr_app.operations.opening import reenter_films
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.integration.conftest import DatabaseFactory
from tests.support.site import Clock, Site

Run = Callable[..., int]
KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command for an installation."""

    def command(settings: Settings, *words: object) -> int:
        monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
        monkeypatch.setenv("CXR_DATABASE_URL", settings.database_url)
        monkeypatch.setenv("CXR_CHECKPOINT", str(settings.checkpoint))
        monkeypatch.setenv("CXR_AUDIT_DIR", str(settings.audit_folder))
        return admin.main([str(word) for word in words])

    return command


@pytest.fixture
def backup(site: Site, run: Run, tmp_path: Path) -> Path:
    """The backup of an installation with three entries and an audit."""
    for number in range(3):
        site.read_film(b"film %d" % number)
    _note(site.settings, 5)
    assert run(site.settings, "backup", tmp_path / "backup") == 0
    return tmp_path / "backup"


def installation(folder: Path, url: str = "") -> Settings:
    """Return the settings of an installation, whatever a command before has set."""
    return Settings(data_dir=folder, database_url=url, audit_dir=None)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("films", [0, 1])
def test_the_backup_of_another_installation_stays_as_it_is(
    run: Run,
    backup: Path,
    tmp_path: Path,
    empty_url: str,
    capsys: pytest.CaptureFixture[str],
    films: int,
) -> None:
    other = Site(installation(tmp_path / "other", empty_url), Clock())
    for _ in range(films):
        other.read_film(b"film 0")  # the same film is another entry there
    other.worklist.close()
    before = contents(backup)
    assert run(other.settings, "backup", backup) == 2
    told = capsys.readouterr().err
    assert "3 entries that this worklist has not" in told
    assert "Back up into another folder" in told
    assert contents(backup) == before


def test_an_earlier_state_does_not_replace_a_later_one(
    site: Site, run: Run, backup: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    site.read_film(b"one more")
    assert run(site.settings, "backup", later) == 0
    elsewhere = installation(tmp_path / "elsewhere")
    assert run(elsewhere, "restore", backup) == 0
    before = contents(later)
    assert run(elsewhere, "backup", later) == 2
    assert contents(later) == before


@KINDS
def test_a_restored_installation_goes_on_with_its_backup(
    run: Run, backup: Path, tmp_path: Path, new_database: DatabaseFactory, kind: str
) -> None:
    elsewhere = installation(tmp_path / "elsewhere", new_database(kind))
    _note(elsewhere, 2)
    assert run(elsewhere, "restore", backup) == 0
    assert run(elsewhere, "backup", backup) == 0
    restored = Site(elsewhere, Clock())
    restored.read_film(b"after the restoration")
    restored.worklist.close()
    assert run(elsewhere, "backup", backup) == 0
    assert run(elsewhere, "verify", backup) == 0


def test_films_that_were_entered_again_do_not_replace_their_reviews(
    site: Site, run: Run, backup: Path, tmp_path: Path, new_database: DatabaseFactory
) -> None:
    lost = installation(site.settings.data_dir, new_database("sqlite"))
    with closing(Worklist.open(lost.worklist_url)) as worklist:
        assert reenter_films(lost, worklist).entered == 3
    before = contents(backup)
    assert run(lost, "backup", backup) == 2
    assert contents(backup) == before
    assert run(lost, "backup", tmp_path / "another") == 0


def test_an_audit_that_was_begun_anew_does_not_replace_the_one_of_the_backup(
    site: Site,
    run: Run,
    backup: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    moved = site.settings.model_copy(update={"audit_dir": tmp_path / "mistyped"})
    before = contents(backup)
    assert run(moved, "backup", backup) == 2
    told = capsys.readouterr().err
    assert "CXR_AUDIT_DIR" in told
    assert str(tmp_path / "mistyped") in told
    assert contents(backup) == before


@KINDS
def test_a_worklist_is_not_backed_up_with_the_films_of_another_folder(
    run: Run,
    backup: Path,
    tmp_path: Path,
    new_database: DatabaseFactory,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = installation(tmp_path / "own", new_database(kind))
    assert run(own, "restore", backup) == 0
    right = {"database_url": own.worklist_url, "audit_dir": own.audit_folder}
    mistyped = own.model_copy(update={"data_dir": tmp_path / "mistyped", **right})
    FilmStore(mistyped.films_dir).keep(b"another installation's film")
    before = contents(backup)
    assert run(mistyped, "backup", backup) == 2
    told = capsys.readouterr().err
    assert f"(3) lie in {own.films_dir}" in told
    assert "CXR_DATA_DIR" in told
    assert contents(backup) == before


def test_films_that_are_scored_where_they_lie_are_in_no_other_store(
    site: Site, run: Run, tmp_path: Path
) -> None:
    site.worklist.receive("0" * 64, "film.dcm", tmp_path / "archive" / "film.dcm")
    assert run(site.settings, "backup", tmp_path / "backup") == 0
    assert run(site.settings, "verify", tmp_path / "backup") == 0


@pytest.mark.parametrize("harm", ["change", "delete"])
def test_a_damaged_worklist_is_replaced_by_its_own_installation_only(
    site: Site, run: Run, backup: Path, tmp_path: Path, harm: str
) -> None:
    (worklist,) = backup.glob("worklist-*")
    worklist.write_bytes(b"damaged") if harm == "change" else worklist.unlink()
    other = Site(installation(tmp_path / "other"), Clock())
    other.read_film(b"other film")
    other.worklist.close()
    before = contents(backup)
    assert run(other.settings, "backup", backup) == 2
    assert contents(backup) == before
    assert run(site.settings, "backup", backup) == 0
    assert run(site.settings, "verify", backup) == 0


def test_a_backup_that_was_interrupted_is_finished(
    site: Site, run: Run, backup: Path, tmp_path: Path
) -> None:
    (backup / "backup.json").unlink()
    (backup / "worklist-20200101T000000000000.sqlite").write_bytes(b"half a worklist")
    assert run(site.settings, "backup", backup) == 0
    assert run(site.settings, "verify", backup) == 0
    assert len(list(backup.glob("worklist-*"))) == 1


@pytest.mark.parametrize(
    "place",
    [
        *("data", "data/films", "data/films/ab/new", "data/jobs/backup", "data/incoming/backup"),
        *("data/models", "data/recipes/a", "data/cache", "audits/audit", "audits/audit/b"),
        *("audits", "link"),
    ],
)
def test_an_installation_is_not_backed_up_into_itself(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    settings = Settings(
        data_dir=tmp_path / "data",
        audit_dir=tmp_path / "audits" / "audit",
        checkpoint=tmp_path / "weights" / "checkpoint" / "model.safetensors",
    )
    settings.checkpoint.parent.mkdir(parents=True)
    settings.checkpoint.write_bytes(b"model")
    site = Site(settings, Clock())
    site.read_film(b"film")
    site.worklist.close()
    _note(settings, 1)
    (tmp_path / "link").symlink_to(settings.films_dir)
    stored = [*FilmStore(settings.films_dir).stored()]
    assert run(settings, "backup", tmp_path / place) == 2
    told = capsys.readouterr().err
    assert "Name a folder outside" in told
    assert not [path for path in tmp_path.rglob("*") if path.name == "backup.json"]
    assert not list(tmp_path.rglob("worklist-*.sqlite"))
    assert [*FilmStore(settings.films_dir).stored()] == stored
    assert run(settings, "audit", "verify") == 0


@pytest.mark.parametrize("place", ["data/backup", "backup", "."])
def test_a_folder_that_only_lies_near_is_allowed(site: Site, run: Run, place: str) -> None:
    site.read_film(b"film")
    folder = site.settings.data_dir.parent / place
    for _ in range(2):
        assert run(site.settings, "backup", folder) == 0
    assert run(site.settings, "verify", folder) == 0


def test_the_numbers_printed_are_the_worklists(
    site: Site, run: Run, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):  # as a backlog leaves them, where they were
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(b"%d" % number)
        site.worklist.receive(f"{number}" * 64, path.name, path)
    capsys.readouterr()
    assert run(site.settings, "backup", backup) == 0
    assert "Backed up: 5 entries and 3 stored films" in capsys.readouterr().out
    manifest = json.loads((backup / "backup.json").read_text())
    del manifest["entries"]  # as an earlier version wrote it
    (backup / "backup.json").write_text(json.dumps(manifest))
    assert run(installation(tmp_path / "elsewhere"), "restore", backup) == 0
    assert "Restored: 5 entries and 3 stored films" in capsys.readouterr().out


def _note(settings: Settings, events: int) -> None:
    log = AuditLog(settings.audit_folder)
    for _ in range(events):
        log.record(AuditKind.FILM_SHOWN)
    log.close()
