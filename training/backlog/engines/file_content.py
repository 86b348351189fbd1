"""The content of a backlog's files, without what it shows: read within bounds, and compared."""

import hashlib
import os
from collections.abc import Set

from cxr_app.errors import FilmError
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.imaging.zip_archive import read_member
from training.backlog.engines.contract import FoundFile


def content(found: FoundFile) -> bytes | int:
    """Read a file; return only the size of one beyond the limit, which may fill the memory.

    Raises
    ------
    OSError
        If it cannot be read.
    FilmError
        If it is in a zip archive that cannot be unpacked.
    """
    if found.member:
        return read_member(found.path, found.member)
    with found.path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            return size
        data = file.read(MAX_FILE_BYTES + 1)
    return data if len(data) <= MAX_FILE_BYTES else len(data)


def is_another(found: FoundFile, contents: Set[str]) -> bool:
    """Check whether a file can be read and its content is none of these (SHA-256)."""
    sha256 = _readable_sha256(found)
    return bool(sha256) and sha256 not in contents


def has_content(found: FoundFile, contents: Set[str]) -> bool:
    """Check whether a file can be read and its content is one of these (SHA-256)."""
    sha256 = _readable_sha256(found)
    return bool(sha256) and sha256 in contents


def _readable_sha256(found: FoundFile) -> str:
    """Return the digest of a file; empty if it cannot be read, or is too large to be a film."""
    try:
        data = content(found)
    except (OSError, FilmError):
        return ""
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else ""
