import errno
import hashlib
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.errors import FilmLostError, ShortageError, WorklistError
from cxr_app.film_store import FilmStore


@pytest.fixture
def films(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "data" / "films")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_a_film_is_read_exactly_as_it_was_received(films: FilmStore, data: bytes) -> None:
    sha256 = films.keep(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert films.read(sha256) == data
    assert films.path(sha256) == films.root / sha256[:2] / sha256


def test_only_this_user_can_read_films(films: FilmStore) -> None:
    path = films.path(films.keep(b"film"))
    assert mode(path) == 0o600
    assert {mode(folder) for folder in list(path.parents)[:3]} == {0o700}


def test_the_same_film_is_stored_once(films: FilmStore) -> None:
    first = films.path(films.keep(b"film")).stat()
    second = films.path(films.keep(b"film")).stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_sixteen_threads_store_the_same_films_at_once(films: FilmStore) -> None:
    data = [bytes([film]) * 50_000 for film in range(4)] * 16
    with ThreadPoolExecutor(16) as threads:
        kept = list(threads.map(films.keep, data))
    assert [films.read(sha256) for sha256 in kept] == data
    assert len([path for path in films.root.rglob("*") if path.is_file()]) == 4


@pytest.mark.parametrize("damage", [b"", b"fil", b"FILM"], ids=["empty", "short", "changed"])
def test_a_damaged_film_is_named_and_repaired_when_it_is_received_again(
    films: FilmStore, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sha256 = films.keep(b"film")
    films.path(sha256).write_bytes(damage)
    with pytest.raises(FilmLostError, match=f"{sha256[:8]} was changed"):
        films.read(sha256)
    with caplog.at_level(logging.WARNING):
        assert films.keep(b"film") == sha256
    assert f"{sha256[:8]} was damaged" in caplog.text
    assert films.read(sha256) == b"film"


def test_a_film_that_is_gone_is_named(films: FilmStore) -> None:
    sha256 = films.keep(b"film")
    films.path(sha256).unlink()
    with pytest.raises(FilmLostError, match=f"{sha256[:8]} cannot be read: No such file"):
        films.read(sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_no_name_from_outside_becomes_a_path(films: FilmStore, name: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case"):
        films.path(name)


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "films").touch()
    with pytest.raises(WorklistError, match=r"could not be kept in .*films: "):
        FilmStore(tmp_path / "films").keep(b"film")


def test_a_full_disk_leaves_no_partial_file(
    films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", is_full)
    with pytest.raises(WorklistError, match=r"No space left on device. Check that the disk"):
        films.keep(b"film")
    assert [path for path in films.root.rglob("*") if path.is_file()] == []


def test_only_old_partial_files_of_a_killed_server_are_deleted(films: FilmStore) -> None:
    kept = films.keep(b"film")
    folder = films.path(kept).parent
    left, young = folder / ".left.part", folder / ".young.part"
    for path in (left, young, folder / "other"):
        path.write_bytes(b"half a film")
    for path in (left, films.path(kept), folder / "other"):
        os.utime(path, (0, 0))
    assert films.discard_partial() == 1
    assert {path.name for path in folder.iterdir()} == {kept, young.name, "other"}
    assert FilmStore(films.root / "none").discard_partial() == 0


def test_a_deleted_film_is_gone_and_may_be_deleted_twice(films: FilmStore) -> None:
    kept, other = films.keep(b"film"), films.keep(b"other")
    assert films.has(kept)
    for _ in range(2):
        films.delete(kept)
        assert not films.has(kept)
    assert films.read(other) == b"other"
    FilmStore(films.root / "none").delete(kept)


def test_film_is_not_lost_if_no_more_files_can_be_opened(
    films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    sha256 = films.keep(b"film")
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(ShortageError):
        films.read(sha256)
