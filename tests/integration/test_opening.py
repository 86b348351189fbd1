"""A lost worklist is not begun anew beside its films, which can be entered again."""

from pathlib import Path

import pytest

from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.operations import opening
from cxr_app.operations.opening import open_worklist, reenter_films
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist

CONTENTS = (b"first", b"second", b"third")


@pytest.fixture
def settings(tmp_path: Path, empty_url: str) -> Settings:
    """The settings of a server that has received some films."""
    made = Settings(data_dir=tmp_path / "data", database_url=empty_url)
    films = FilmStore(made.films_dir)
    for content in CONTENTS:
        films.keep(content)
    return made


def test_an_empty_worklist_beside_films_is_refused(settings: Settings) -> None:
    for _ in range(2):  # refusing it does not make it acceptable
        with pytest.raises(WorklistError, match=r"The worklist is empty, but .* holds films"):
            open_worklist(settings)


def test_a_new_installation_opens(tmp_path: Path, empty_url: str) -> None:
    open_worklist(Settings(data_dir=tmp_path / "new", database_url=empty_url)).close()


def test_a_film_that_a_killed_server_has_not_entered_is_no_lost_worklist(
    tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender was told nothing, and sends it again."""
    monkeypatch.setattr(opening, "MOST_UNENTERED", 2)
    settings = Settings(data_dir=tmp_path / "new", database_url=empty_url)
    open_worklist(settings).close()
    films = FilmStore(settings.films_dir)
    for content in CONTENTS[:2]:
        films.keep(content)
        open_worklist(settings).close()
    films.keep(CONTENTS[2])
    with pytest.raises(WorklistError, match="The worklist is empty"):
        open_worklist(settings)


def test_a_worklist_that_is_only_examined_is_left_as_it_is(tmp_path: Path, empty_url: str) -> None:
    settings = Settings(data_dir=tmp_path / "new", database_url=empty_url)
    open_worklist(settings, begins=False).close()
    FilmStore(settings.films_dir).keep(CONTENTS[0])
    with pytest.raises(WorklistError, match="The worklist is empty"):
        open_worklist(settings)


def test_partial_files_are_no_films(tmp_path: Path, empty_url: str) -> None:
    settings = Settings(data_dir=tmp_path / "new", database_url=empty_url)
    folder = settings.films_dir / "ab"
    folder.mkdir(parents=True)
    (folder / ".abcd.partial").write_bytes(b"half a film")
    open_worklist(settings).close()


def test_films_are_entered_again_once_and_damaged_ones_are_named(settings: Settings) -> None:
    films = FilmStore(settings.films_dir)
    damaged = films.keep(b"damaged")
    films.path(damaged).write_bytes(b"other")
    worklist = Worklist.open(settings.worklist_url)
    count = reenter_films(settings, worklist)
    assert (count.entered, count.known, count.damaged) == (3, 0, (damaged,))
    count = reenter_films(settings, worklist)
    assert (count.entered, count.known) == (0, 3)
    entries = worklist.page(Query(state="all"))
    assert {films.read(entry.sha256) for entry in entries} == set(CONTENTS)
    assert all(
        entry.read_at is None and entry.path == films.path(entry.sha256) for entry in entries
    )
    assert len(worklist.next_received()) == 3
    worklist.close()
    open_worklist(settings).close()
