"""Films kept as received, by content: what was kept once is there, whole, or it is named as lost.

A film's place is its SHA-256, so the same film is kept once, and no name from outside ever becomes
a path. Only the server's user can read it.
"""

import hashlib
import logging
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from cxr_app.errors import FilmLostError, WorklistError

logger = logging.getLogger(__name__)

PARTIAL = ".part"
"""Ends the name of a file that is being written."""
PARTIAL_SECONDS = 24 * 60 * 60
"""Nothing is written for so long."""
SHA256 = re.compile(r"[0-9a-f]{64}")


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, for the server's user only; existing ones stay as is."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def read_film(path: Path, sha256: str) -> bytes:
    """Read a film wherever it lies, and make sure that it is still the one that was received.

    Raises
    ------
    FilmLostError
        If the file is gone, cannot be read, or is no longer what was received.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FilmLostError(
            f"The film {sha256[:8]} cannot be read: {error.strerror}. "
            "Restore it from a backup or send the film again."
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FilmLostError(
            f"The film {sha256[:8]} was changed on disk: its {len(data)} bytes are not "
            "those received. Restore it from a backup or send the film again."
        )
    return data


class FilmStore:
    """Films below one folder: ``root/ab/abcd...``. Safe for many threads and processes.

    Parameters
    ----------
    root
        Made on the first film, readable by this user only.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Say where a film with this SHA-256 is kept, or would be.

        Raises
        ------
        ValueError
            If it is not 64 lower-case hexadecimal digits.
        """
        if not SHA256.fullmatch(sha256):
            raise ValueError("sha256 must be 64 lower-case hexadecimal digits")
        return self.root / sha256[:2] / sha256

    def keep(self, data: bytes) -> str:
        """Keep a film; when this returns, a power cut no longer takes it away.

        A film that is there already is left alone, unless it has been damaged: then it is mended.

        Returns
        -------
        str
            The SHA-256 of the bytes, 64 hexadecimal digits.

        Raises
        ------
        WorklistError
            If the disk is full, read-only or not ours; nothing is left half written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            if not self._is_whole(path, sha256):
                make_private_folder(path.parent)
                write_durably(path, data)
            for folder in (path.parent, self.root):  # also where another thread has just written
                _flush_folder(folder)
        except OSError as error:
            raise WorklistError(
                f"The film could not be kept in {self.root}: {error.strerror}. "
                "Check that the disk has room and that this user may write there, then try again."
            ) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """Give a film back exactly as it was received.

        Raises
        ------
        FilmLostError
            If the file is gone, cannot be read, or is no longer what was received.
        """
        return read_film(self.path(sha256), sha256)

    def has(self, sha256: str) -> bool:
        """Tell whether a film is kept."""
        return self.path(sha256).exists()

    def delete(self, sha256: str) -> None:
        """Delete a film for good; one that is not kept is no fault.

        Raises
        ------
        WorklistError
            If it is kept and cannot be deleted.
        """
        path = self.path(sha256)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _flush_folder(path.parent)
        except OSError as error:
            raise WorklistError(
                f"The film {sha256[:8]} could not be deleted from {self.root}: {error.strerror}. "
                "Check that this user may write there."
            ) from error

    def discard_partial(self) -> int:
        """Delete what killed servers have left half written; say how many files went.

        Of such a file nothing was acknowledged; one that is written right now is young.
        """
        discarded = 0
        for path in self.root.glob(f"*/.*{PARTIAL}"):
            with suppress(OSError):  # another server may be faster
                if time.time() - path.stat().st_mtime > PARTIAL_SECONDS:
                    path.unlink()
                    discarded += 1
        return discarded

    def _is_whole(self, path: Path, sha256: str) -> bool:
        try:
            kept = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return False
        if kept != sha256:
            logger.warning("kept film %s was damaged on disk; written anew", sha256[:8])
        return kept == sha256


def write_durably(path: Path, data: bytes) -> None:
    """Write beside, flush, rename: the file is there whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PARTIAL)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
