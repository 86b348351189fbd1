"""The films of a folder: found among other files, and watched as they arrive."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.factories import dicom_bytes, png_bytes
from tests.support.films import jpeg
from tests.unit.cxr_app.imaging.test_passed_over import dicomdir
from training.backlog import folder as folder_module
from training.backlog.folder import FolderScan, FolderWatch, refuse_outside_links

FILM = jpeg(1)


def sources(folder: Path) -> list[str]:
    return [found.source for found in FolderScan(folder)]


def problems(folder: Path) -> dict[str, str]:
    return {found.source: found.problem for found in FolderScan(folder) if found.problem}


def test_films_are_found_by_content_and_by_name_among_thousands_of_others(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number}.txt").write_text("no film")
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "empty").touch()
    (tmp_path / "film").write_bytes(FILM)
    (tmp_path / "broken.DCM").touch()
    assert sources(tmp_path) == ["broken.DCM", "film"]


@pytest.fixture
def deep_film(tmp_path: Path) -> Iterator[Path]:
    """A film deeper than Python's recursion limit; pytest could not remove its folders."""
    folder = tmp_path
    with suppress(OSError):  # as deep as the system allows
        for _ in range(1200):
            (folder / "d").mkdir()
            folder /= "d"
    film = folder.parent / "film"
    film.write_bytes(FILM)
    yield film
    film.unlink()
    while folder != tmp_path:
        folder.rmdir()
        folder = folder.parent


@pytest.mark.usefixtures("deep_film")
def test_any_depth_is_searched(tmp_path: Path) -> None:
    assert len(sources(tmp_path)) == 1


def test_names_without_a_valid_encoding_are_found_unchanged(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \xff\n.jpg")
    (tmp_path / name).write_bytes(FILM)
    assert sources(tmp_path) == [name]


def test_loops_of_links_end_and_links_elsewhere_are_reported(tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "film").write_bytes(FILM)
    (films / "loop").symlink_to(films)
    (films / "deep" / "up").symlink_to("..")
    (films / "deep" / "out").symlink_to(tmp_path / "elsewhere")
    (films / "me.jpg").symlink_to(films / "me.jpg")
    (films / "nowhere.jpg").symlink_to(tmp_path / "nowhere")
    (films / "there.jpg").symlink_to(tmp_path / "film")
    assert sources(films) == ["me.jpg", "nowhere.jpg", "there.jpg", "deep/out/"]
    assert problems(films).keys() == {"me.jpg", "nowhere.jpg", "deep/out/"}
    assert problems(films)["deep/out/"].startswith("It is a link to a folder elsewhere")
    assert "Too many levels of symbolic links" in problems(films)["me.jpg"]
    assert "No such file or directory" in problems(films)["nowhere.jpg"]


class Unanswered:
    """An entry of a network share whose type cannot be read."""

    def __init__(self, path: Path) -> None:
        self.name, self.path = path.name, str(path)

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        raise OSError(errno.EIO, f"Input/output error, links followed: {follow_symlinks}")


def test_an_entry_of_unknown_type_is_found_with_its_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "film.jpg").write_bytes(FILM)
    entries = [Unanswered(tmp_path / "film.jpg"), Unanswered(tmp_path / "gone")]
    monkeypatch.setattr(os, "scandir", lambda _: nullcontext(entries))
    assert sources(tmp_path) == ["film.jpg", "gone"]
    assert problems(tmp_path).keys() == {"gone"}


def test_what_is_not_a_regular_file_is_ignored(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.jpg"))
        assert sources(tmp_path) == []


@pytest.fixture
def another_user() -> Iterator[Path]:
    """A folder that any user may enter; the test gives up the rights of root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        yield folder
        if root:
            os.seteuid(0)


def test_a_forbidden_file_is_found_with_its_problem(another_user: Path) -> None:
    closed = another_user / "closed"
    closed.mkdir()
    (another_user / "secret").write_bytes(FILM)
    (another_user / "secret").chmod(0)
    (another_user / "z.jpg").write_bytes(FILM)
    closed.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    found = problems(another_user)
    assert sources(another_user) == ["secret", "z.jpg", "closed/"]
    assert found["closed/"].startswith("The folder cannot be opened: Permission denied.")
    assert found["secret"].startswith("The file cannot be read: Permission denied.")


def test_a_watched_film_is_returned_once_it_has_stopped_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "SETTLE_SECONDS", 0.01)
    watch = FolderWatch(tmp_path)
    assert watch.arrived() == []
    for end in (100, 500, len(FILM)):
        (tmp_path / "film.jpg").write_bytes(FILM[:end])
        assert watch.arrived() == []
    assert [found.source for found in watch.arrived()] == ["film.jpg"]
    assert watch.arrived() == []
    (tmp_path / "film.jpg").write_bytes(jpeg(2))
    assert watch.arrived() == []
    assert [found.source for found in watch.arrived()] == ["film.jpg"]


def test_a_watched_film_settles_no_faster_because_another_has_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(folder_module, "time", clock)
    watch = FolderWatch(tmp_path)
    (tmp_path / "one.jpg").write_bytes(FILM)
    assert watch.arrived() == []
    (tmp_path / "two.jpg").write_bytes(FILM[:900])
    assert [found.source for found in watch.arrived()] == ["one.jpg"]
    assert watch.arrived() == []  # at the same time
    assert [found.source for found in watch.arrived()] == ["two.jpg"]


def test_a_link_out_of_the_folders_that_may_be_scored_is_not_followed(tmp_path: Path) -> None:
    for name in ("archive/films", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "elsewhere" / "a.dcm").touch()
    (tmp_path / "archive" / "b.dcm").touch()
    films = tmp_path / "archive" / "films"
    (films / "c.dcm").touch()
    (films / "in.dcm").symlink_to(tmp_path / "archive" / "b.dcm")
    (films / "out.dcm").symlink_to(tmp_path / "elsewhere" / "a.dcm")
    problems = {
        each.source: each.problem
        for each in refuse_outside_links(FolderScan(films), [tmp_path / "archive"])
    }
    assert {source for source, problem in problems.items() if problem} == {"out.dcm"}
    assert "link to a file outside" in problems["out.dcm"]
    assert set(problems) == {"c.dcm", "in.dcm", "out.dcm"}
    assert list(refuse_outside_links(FolderScan(films), [])) == list(FolderScan(films))


def test_what_is_no_film_is_passed_over_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "Thumbs.db").write_bytes(b"?")
    (tmp_path / "a.dcm").write_bytes(b"?")
    (tmp_path / "photo.webp").write_bytes(b"RIFF\0\0\0\0WEBP")
    (tmp_path / "README").write_bytes(b"?")
    scan = FolderScan(tmp_path)
    assert [found.source for found in scan] == ["a.dcm", "photo.webp"]
    assert scan.passed_over == ["README", "deep/Thumbs.db"]


def test_a_disc_is_scanned_by_its_table_of_contents(tmp_path: Path) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "DICOMDIR").write_bytes(
        dicomdir(IMAGE="DICOM/IM1", IMAGE1="DICOM/IM2", PRESENTATION="DICOM/PR1")
    )
    (tmp_path / "dicom" / "im1").write_bytes(b"broken")
    (tmp_path / "dicom" / "pr1").write_bytes(dicom_bytes())
    (tmp_path / "logo.png").write_bytes(png_bytes())
    scan = FolderScan(tmp_path)
    found = {each.source: each.problem for each in scan}
    assert found.keys() == {"dicom/im1", "DICOM/IM2"}
    assert "not there" in found["DICOM/IM2"]
    assert set(scan.passed_over) == {"DICOMDIR", "dicom/pr1", "logo.png"}
