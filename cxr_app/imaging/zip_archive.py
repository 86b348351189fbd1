"""Zip archives of films: their members, within bounds."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    PixelDataError,
    UnsupportedImageError,
    raise_shortage,
)
from cxr_app.imaging.limits import MAX_ARCHIVE_BYTES, MAX_ARCHIVE_MEMBERS, MAX_FILE_BYTES

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
_ENCRYPTED = 0x1


@dataclass(slots=True)
class Member:
    """A file of an archive; its `name` includes the folders of the archive."""

    name: str
    content: bytes

    def getvalue(self) -> bytes:
        """Return the content, as a file sent by a browser does."""
        return self.content


def is_zip(data: bytes) -> bool:
    """Check whether a file begins like a zip archive, an empty one included."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members(data: bytes) -> Iterator[Member]:
    """Yield the files of an archive, one at a time; archives within it are not opened.

    Everything that its directory says is checked before the first one is decompressed.

    Raises
    ------
    FilmTooLargeError
        If it has too many files, or they would inflate to too many bytes.
    UnsupportedImageError
        If it is encrypted, or compressed in a way that is not known here.
    PixelDataError
        If it is damaged or cut short.
    """
    with _errors_in_words(), zipfile.ZipFile(BytesIO(data)) as archive:
        for info in _checked(archive):
            yield Member(info.filename, _inflated(archive, info))


def member_heads(path: Path, size: int) -> list[tuple[str, bytes]]:
    """Return the names of an archive's files and the first `size` bytes of each.

    Raises
    ------
    FilmTooLargeError, UnsupportedImageError, PixelDataError
        As for `members`; also if two files have the same name.
    """
    with _errors_in_words(), zipfile.ZipFile(path) as archive:
        files = _checked(archive)
        if len({info.filename for info in files}) < len(files):
            raise UnsupportedImageError(
                "The zip archive holds several files of the same name: unpack it into different "
                "folders, and send the films."
            )
        return [(info.filename, _head(archive, info, size)) for info in files]


def read_member(path: Path, name: str) -> bytes:
    """Return one file of an archive.

    Raises
    ------
    FilmTooLargeError, UnsupportedImageError, PixelDataError
        As for `members`; also if the file is no longer there.
    """
    with _errors_in_words(), zipfile.ZipFile(path) as archive:
        info = next((each for each in _checked(archive) if each.filename == name), None)
        if info is None:
            raise PixelDataError(
                "The zip archive no longer holds the film: put it back, then run the same command "
                "again."
            )
        return _inflated(archive, info)


@contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except FilmError:
        raise
    except NotImplementedError as error:
        raise UnsupportedImageError(
            "The zip archive is compressed in a way that is not known here: unpack it, and send "
            "the films."
        ) from error
    except _DAMAGE as error:
        raise_shortage(error)
        raise PixelDataError(
            "The zip archive is damaged or cut short: send it again, or unpack it and send the "
            "films."
        ) from error


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive whose directory is within bounds."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    _check(files)
    return files


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    with archive.open(info) as file:
        return file.read(size)


def _check(files: list[zipfile.ZipInfo]) -> None:
    if len(files) > MAX_ARCHIVE_MEMBERS:
        raise FilmTooLargeError(
            f"The zip archive holds {len(files):,} files, more than the {MAX_ARCHIVE_MEMBERS:,} "
            "allowed: send it in parts."
        )
    if any(info.flag_bits & _ENCRYPTED for info in files):
        raise UnsupportedImageError(
            "The zip archive is protected by a password: unpack it, and send the films."
        )
    sizes = [info.file_size for info in files]
    if sum(sizes) > MAX_ARCHIVE_BYTES or max(sizes, default=0) > MAX_FILE_BYTES:
        raise FilmTooLargeError(
            f"The zip archive would unpack to more than {MAX_ARCHIVE_BYTES // 2**20} MB, or holds "
            f"a file of more than {MAX_FILE_BYTES // 2**20} MB: send the films in parts."
        )


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Decompress a file, but no more than the directory says it has."""
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) > info.file_size:
        raise FilmTooLargeError("The zip archive unpacks to more than it says: send the films.")
    return content
