import os
import stat
from pathlib import Path

import pytest

from cxr_app.atomic_file import PARTIAL_SECONDS, atomic_path, atomic_write, discard_partial


def test_the_content_replaces_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    atomic_write(path, "first")
    atomic_write(path, b"\xffsecond")
    assert path.read_bytes() == b"\xffsecond"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    atomic_write(tmp_path / "text", "80 × 60 µm\n")
    assert (tmp_path / "text").read_bytes() == "80 × 60 µm\n".encode()


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    path = tmp_path / "report.json"
    atomic_write(path, "old")

    def interrupted() -> None:
        with atomic_path(path) as partial:
            partial.write_text("ne")
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_flushed_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def fsync(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    atomic_write(tmp_path / "film", b"film")
    assert flushed == [(tmp_path / "film").stat().st_ino, tmp_path.stat().st_ino]


@pytest.mark.parametrize("private", [True, False])
def test_a_private_file_is_readable_by_the_current_user_only(tmp_path: Path, private: bool) -> None:
    atomic_write(tmp_path / "film", b"film", private=private)
    (tmp_path / "plain").touch()
    plain = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "film").stat().st_mode) == (0o600 if private else plain)


def test_a_name_of_the_longest_length_can_be_written(tmp_path: Path) -> None:
    atomic_write(tmp_path / ("肺" * 85), b"film")
    assert [len(os.fsencode(path.name)) for path in tmp_path.iterdir()] == [255]


def test_only_old_partial_files_are_discarded(tmp_path: Path) -> None:
    names = [".old.part", ".young.part", "old"]
    for name in names:
        (tmp_path / name).touch()
        age = 0 if "young" in name else PARTIAL_SECONDS + 60
        modified = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (modified, modified))
    assert discard_partial(tmp_path / name for name in [*names, "gone.part"]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {".young.part", "old"}
