"""A log that several processes write."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_app import log_file
from cxr_app.log_file import LogFile

WRITERS, LINES = 4, 1_500
WRITER = f"""
import sys
from pathlib import Path
from cxr_app import log_file

log_file.FILE_BYTES, log_file.FILES_KEPT = 20_000, 1_000
file = log_file.LogFile(Path(sys.argv[1]))
for number in range({LINES}):
    file.append(f"{{sys.argv[2]}} {{number}} " + "x" * (number % 90))
"""


def test_processes_that_rotate_one_file_lose_and_tear_no_line(
    tmp_path: Path, project_root: Path
) -> None:
    path = tmp_path / "log"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, str(each)], cwd=project_root)
        for each in range(WRITERS)
    ]
    assert [each.wait() for each in writers] == [0] * WRITERS
    files = list(tmp_path.iterdir())
    assert len(files) > 10
    assert all(each.stat().st_size <= 20_000 for each in files)
    lines = [line for each in files for line in each.read_text().splitlines()]
    assert sorted(lines) == sorted(
        f"{each} {number} " + "x" * (number % 90)
        for each in range(WRITERS)
        for number in range(LINES)
    )


def test_a_file_that_another_program_has_moved_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(path)
    file.append("before")
    path.rename(tmp_path / "moved")
    file.append("after")
    assert (tmp_path / "moved").read_text() == "before\n"
    assert path.read_text() == "after\n"


def test_a_full_disk_leaves_no_part_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    file = LogFile(path)
    file.append("before")
    write = os.write

    def write_little(descriptor: int, content: bytes) -> int:
        if len(content) <= 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content[:4])

    monkeypatch.setattr(os, "write", write_little)
    with pytest.raises(OSError, match="No space"):
        file.append("a longer line")
    monkeypatch.undo()
    file.append("after")
    assert path.read_text() == "before\nafter\n"


def test_a_file_that_cannot_be_rotated_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "FILE_BYTES", 10)
    path = tmp_path / "log"
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "kept").touch()
    (tmp_path / "log.2").mkdir()
    (tmp_path / "log.2" / "kept").touch()
    monkeypatch.setattr(log_file, "FILES_KEPT", 1)
    file = LogFile(path)
    for number in range(3):
        file.append(f"line {number}")
    assert path.read_text() == "line 0\nline 1\nline 2\n"
