"""Where there is no installation, no command of the administrator makes one or calls it well."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from cxr_app import admin
from cxr_app.film_store import FilmStore
from cxr_app.operations.doctor import examine_installation
from cxr_app.operations.opening import open_worklist
from cxr_app.settings import Settings
from tests.support.site import Clock, Site

Run = Callable[..., int]
REFUSED = (
    ("backup", "FOLDER"),
    ("upgrade", "FOLDER"),
    ("reenter",),
    ("confirm-clock",),
    ("audit", "verify"),
    ("audit", "export"),
)
by_command = pytest.mark.parametrize("words", REFUSED, ids=" ".join)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command for an installation."""

    def command(settings: Settings, *words: str) -> int:
        monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
        monkeypatch.setenv("CXR_DATABASE_URL", settings.database_url)
        if settings.audit_dir is not None:
            monkeypatch.setenv("CXR_AUDIT_DIR", str(settings.audit_dir))
        folder = str(tmp_path / "backup")
        return admin.main([folder if word == "FOLDER" else word for word in words])

    return command


@by_command
@pytest.mark.parametrize("is_there", [False, True], ids=["no folder", "an empty folder"])
def test_a_command_refuses_and_makes_nothing(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    is_there: bool,
) -> None:
    folder = tmp_path / "mistyped"
    if is_there:
        folder.mkdir()
    assert run(Settings(data_dir=folder), *words) == 2
    told = capsys.readouterr()
    assert str(folder) in told.err
    assert "CXR_DATA_DIR" in told.err or "CXR_AUDIT_DIR" in told.err
    assert not told.out
    assert [path.name for path in tmp_path.iterdir()] == ["mistyped"] * is_there
    assert not is_there or not [*folder.iterdir()]


@by_command
def test_a_database_without_a_worklist_stays_so(
    run: Run, tmp_path: Path, empty_url: str, words: tuple[str, ...]
) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=empty_url)
    assert run(settings, *words) == 2
    assert not settings.data_dir.exists()
    _require_untouched(empty_url)


def test_the_doctor_makes_nothing_and_says_what_to_do(
    run: Run, tmp_path: Path, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=empty_url)
    assert run(settings, "doctor") == 1
    (told,) = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("installation: ")
    ]
    assert "well" not in told
    assert f"There is no installation at {settings.data_dir}" in told
    assert "CXR_DATA_DIR" in told
    assert "make app" in told, "a new machine needs its first start"
    assert not settings.data_dir.exists()
    _require_untouched(empty_url)


def test_the_doctor_makes_nothing_in_a_folder_that_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    found = {each.name: each.problem for each in examine_installation(Settings(data_dir=folder))}
    assert "There is no installation" in found["installation"]
    assert "worklist" not in found
    assert not [*folder.iterdir()]


def test_the_first_start_makes_an_installation_that_is_well(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    open_worklist(settings).close()
    found = {each.name: each.problem for each in examine_installation(settings)}
    assert "installation" not in found
    assert not found["worklist"]


def test_films_without_a_worklist_are_still_entered_again(run: Run, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    FilmStore(settings.films_dir).keep(b"film")
    assert run(settings, "backup", "FOLDER") == 2
    assert not (settings.data_dir / "worklist.sqlite").exists()
    assert run(settings, "reenter") == 0
    assert run(settings, "backup", "FOLDER") == 0


@pytest.mark.parametrize("task", ["verify", "export"])
def test_an_audit_that_is_not_there_is_not_begun_by_reading_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    settings = Settings(data_dir=tmp_path / "data", audit_dir=tmp_path / "mistyped")
    Site(settings, Clock()).worklist.close()
    assert run(settings, "audit", task) == 2
    assert f"There is no audit at {settings.audit_dir}" in capsys.readouterr().err
    assert not (tmp_path / "mistyped").exists()


def _require_untouched(url: str) -> None:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        assert not Path(engine.url.database).exists()
    else:
        assert not inspect(engine).get_table_names()
    engine.dispose()
