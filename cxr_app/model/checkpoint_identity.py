"""Which checkpoint a file is, for pages that ask again and again."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cxr_app.errors import CxrError
from cxr_app.film_store import file_sha256
from cxr_app.model.description import read_described

FILES = 8
"""Largest number of files that are remembered."""


@dataclass(frozen=True, slots=True)
class CheckpointIdentity:
    """What tells a checkpoint from another one.

    Parameters
    ----------
    sha256
        Of the whole file; empty if it cannot be read.
    file_version
        As `DescribedCheckpoint` has it; empty if the file is no usable checkpoint.
    """

    sha256: str
    file_version: str


def identity_of(path: Path) -> CheckpointIdentity:
    """Return which checkpoint a file is now; it is read again only if it has changed."""
    try:
        status = path.stat()
    except OSError:
        return CheckpointIdentity("", "")
    return _identity(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(FILES)
def _identity(path: Path, *_state: int) -> CheckpointIdentity:
    try:
        described = read_described(path)
    except CxrError:
        return CheckpointIdentity(file_sha256(path), "")
    return CheckpointIdentity(described.sha256, described.file_version)
