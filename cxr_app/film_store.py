"""Films stored as received: a stored film is there and unchanged, or it is reported as lost.

A film is stored under its SHA-256, so the same film is stored once, and no name from outside ever
becomes a path. Only the server's user can read it.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from cxr_app.atomic_file import PARTIAL, atomic_path, discard_partial, flush
from cxr_app.errors import FilmLostError, WorklistError, raise_shortage
from cxr_app.uncached_file import write_uncached

logger = logging.getLogger(__name__)

SHA256 = re.compile(r"[0-9a-f]{64}")


def make_private_folder(folder: Path) -> None:
    """Create a folder and its parents for the server's user only; existing folders stay as is."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def read_film(path: Path, sha256: str) -> bytes:
    """Read a film file and check that it is still the film that was received.

    Raises
    ------
    FilmLostError
        If the file is gone, cannot be read, or is no longer what was received.
    ShortageError
        If this computer is short of memory or other resources.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise_shortage(error)
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


def file_sha256(path: Path) -> str:
    """Return the digest of a file, 64 hexadecimal digits; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def root_of(path: Path, sha256: str) -> Path | None:
    """Return the folder of the store that a film's path belongs to; None if it is no store's."""
    return path.parents[1] if path.parts[-2:] == (sha256[:2], sha256) else None


class FilmStore:
    """Films below one folder: ``root/ab/abcd...``. Safe for many threads and processes.

    Parameters
    ----------
    root
        Created with the first film, readable by this user only.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return the path of the film with this SHA-256, whether or not it is stored.

        Raises
        ------
        ValueError
            If it is not 64 lower-case hexadecimal digits.
        """
        if not SHA256.fullmatch(sha256):
            raise ValueError("sha256 must be 64 lower-case hexadecimal digits")
        return self.root / sha256[:2] / sha256

    def is_place_of(self, path: Path, sha256: str) -> bool:
        """Return whether a film's file is this store's; another one may go at any time."""
        return path == self.path(sha256)

    def keep(self, data: bytes, sha256: str = "") -> str:
        """Store a film; once this returns, it survives a power cut.

        A film that is stored already is left alone, or repaired if it was damaged on disk.

        Parameters
        ----------
        data
            The film.
        sha256
            Of `data`, if it is known already.

        Returns
        -------
        str
            The SHA-256 of the bytes, 64 hexadecimal digits.

        Raises
        ------
        WorklistError
            If the disk is full, read-only or not writable; no partial file is left.
        """
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            if not self._is_whole(path, sha256):
                make_private_folder(path.parent)
                with atomic_path(path, private=True) as partial:
                    write_uncached(partial, data)
            for folder in (path.parent, self.root):  # even if another thread has just written it
                flush(folder)
        except OSError as error:
            raise WorklistError(
                f"The film could not be kept in {self.root}: {error.strerror}. "
                "Check that the disk has room and that this user may write there, then try again."
            ) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return a film exactly as it was received.

        Raises
        ------
        FilmLostError
            If the file is gone, cannot be read, or is no longer what was received.
        """
        return read_film(self.path(sha256), sha256)

    def has(self, sha256: str) -> bool:
        """Return whether a film is stored."""
        return self.path(sha256).exists()

    def delete(self, sha256: str) -> None:
        """Delete a film for good; do nothing if it is not stored.

        Raises
        ------
        WorklistError
            If it is stored and cannot be deleted.
        """
        path = self.path(sha256)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                flush(path.parent)
        except OSError as error:
            raise WorklistError(
                f"The film {sha256[:8]} could not be deleted from {self.root}: {error.strerror}. "
                "Check that this user may write there."
            ) from error

    def stored(self) -> Iterator[str]:
        """Yield the SHA-256 of every film that is stored, in order; contents are not read."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if SHA256.fullmatch(path.name) and path.name.startswith(folder.name):
                    yield path.name

    def holds_films(self) -> bool:
        """Return whether any film is stored."""
        return any(self.stored())

    def discard_partial(self) -> int:
        """Delete partial files of killed servers and return how many; none was acknowledged."""
        return discard_partial(self.root.glob(f"*/.*{PARTIAL}"))

    def _is_whole(self, path: Path, sha256: str) -> bool:
        try:
            kept = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return False
        if kept != sha256:
            logger.warning("kept film %s was damaged on disk; written again", sha256[:8])
        return kept == sha256
