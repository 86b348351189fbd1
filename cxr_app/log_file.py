"""A log that several processes write: whole lines, and none is lost when the file is rotated.

`logging.handlers.RotatingFileHandler` belongs to one process: of two, one goes on writing to a file
that the other has renamed, and both rotate. Here each line is appended under a lock of the file
itself, and to the file that has the name at that moment.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FILE_BYTES = 10 * 2**20
FILES_KEPT = 10
PRIVATE = 0o600


class LogFile:
    """A private file of lines, rotated when it is full. Safe for many processes.

    Parameters
    ----------
    path
        Its name; earlier files have ``.1`` (the latest) and so on behind it.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _locked(path):
            pass

    def append(self, line: str) -> None:
        """Write a line.

        Raises
        ------
        OSError
            If it cannot be written; no part of it is in the file then.
        """
        content = f"{line}\n".encode()
        while not self._append(content):
            pass

    def _append(self, content: bytes) -> bool:
        """Write to the file that has the name; return False if it is another one by now."""
        with _locked(self.path) as descriptor:
            status = os.fstat(descriptor)
            if not _has_name(status, self.path):
                return False
            if _is_full(status, len(content)) and _rotate(self.path):
                return False
            _write(descriptor, content, status)
        return True


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file for appending, and keep other processes from it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        # A process that was forked meanwhile has the descriptor, too: closing it is not enough.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _has_name(status: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(status, path.stat())
    except FileNotFoundError:
        return False


def _is_full(status: os.stat_result, length: int) -> bool:
    """Check whether a file has no room for a line; a pipe or a terminal always has."""
    is_rotated = stat.S_ISREG(status.st_mode) and status.st_size > 0
    return is_rotated and status.st_size + length > FILE_BYTES


def _rotate(path: Path) -> bool:
    """Rename the file and the earlier ones; return False if the folder does not allow it."""
    try:
        for number in range(FILES_KEPT - 1, 0, -1):
            with suppress(FileNotFoundError):
                _earlier(path, number).replace(_earlier(path, number + 1))
        path.replace(_earlier(path, 1))
    except OSError:
        return False  # a file that grows loses no line
    return True


def _earlier(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _write(descriptor: int, content: bytes, status: os.stat_result) -> None:
    """Write all of it, or on a full disk nothing."""
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError:
        if stat.S_ISREG(status.st_mode):
            os.ftruncate(descriptor, status.st_size)
        raise
