"""Files that are replaced as a whole: a reader finds the old content or the new, never a part."""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".part"
"""Suffix of a file that is being written."""
PARTIAL_SECONDS = 24 * 60 * 60
"""Age from which a partial file counts as left behind by a killed process."""


def atomic_write(path: Path, content: bytes | str, *, private: bool = False) -> None:
    """Replace a file as a whole; once this returns, the content survives a power cut.

    Parameters
    ----------
    path
        In an existing folder.
    content
        Text is written in UTF-8.
    private
        Whether only the current user may read the file.
    """
    with atomic_path(path, private=private) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_path(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield an empty file to write into, which replaces `path` if the block ends without an error.

    For content that a library writes by file name; `atomic_write` does the rest. The name is new
    each time, so that several threads and processes may write the same file.
    """
    partial = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}{PARTIAL}")
    mode = 0o600 if private else 0o666
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield partial
        flush(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Write what the system still buffers of a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard_partial(paths: Iterable[Path]) -> int:
    """Delete partial files that killed processes left behind, and return how many.

    A younger file may still be written to and is kept.
    """
    discarded = 0
    for path in paths:
        with suppress(OSError):  # another process may have deleted it first
            if path.suffix == PARTIAL and time.time() - path.stat().st_mtime > PARTIAL_SECONDS:
                path.unlink()
                discarded += 1
    return discarded
