"""The file formats of films: a new one is a reader in a file of its own, and a row of `FORMATS`.

A reader is imported when it reads: what only looks for films needs no decoder, and a process of
a backlog is ready tenths of a second sooner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from cxr_app.imaging.decoded_film import DecodedFilm
from cxr_app.imaging.dicom_prefix import is_dicom

if TYPE_CHECKING:
    from cxr_app.imaging.pillow_reader import PictureFormat


class FilmReader(Protocol):
    """A function that reads the first film of a file."""

    def __call__(self, data: bytes, *, side: int | None, in_subprocess: bool) -> DecodedFilm:
        """Read a file whose content has the format.

        Parameters
        ----------
        data
            The file, not larger than `limits.MAX_FILE_BYTES`.
        side
            Allows the reader to reduce the film, as long as neither side gets shorter than this;
            None reads every pixel.
        in_subprocess
            Whether to run third-party decoders in a subprocess only.

        Raises
        ------
        FilmError
            If the file cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FilmFormat:
    """A file format.

    Parameters
    ----------
    name
        The name that messages and the worklist use.
    suffixes
        Usual ends of file names, in lower case. They only decide which broken files are reported
        as films; the content decides everything else.
    matches
        Checks by its first bytes whether a file has this format.
    read
        Reads such a file.
    """

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]
    read: FilmReader


def _read_dicom(data: bytes, *, side: int | None, in_subprocess: bool) -> DecodedFilm:
    from cxr_app.imaging import dicom

    return dicom.read_film(data, side=side, in_subprocess=in_subprocess)


def _read_picture(
    data: bytes, *, file_format: "PictureFormat", side: int | None, in_subprocess: bool
) -> DecodedFilm:
    from cxr_app.imaging import raster

    return raster.read_film(data, file_format=file_format, side=side, in_subprocess=in_subprocess)


FORMATS = (
    # A DICOM file may begin like any other: its first 128 bytes are free (PS3.10 7.1).
    FilmFormat("DICOM", (".dcm", ".dicom"), is_dicom, _read_dicom),
    FilmFormat(
        "JPEG",
        (".jpg", ".jpeg"),
        lambda data: data.startswith(b"\xff\xd8\xff"),
        partial(_read_picture, file_format="JPEG"),
    ),
    FilmFormat(
        "PNG",
        (".png",),
        lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
        partial(_read_picture, file_format="PNG"),
    ),
    FilmFormat(
        "TIFF",
        (".tif", ".tiff"),
        lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
        partial(_read_picture, file_format="TIFF"),
    ),
    FilmFormat(
        "JPEG 2000",
        (".jp2", ".j2k", ".jpx", ".j2c", ".jpf"),
        lambda data: data.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
        partial(_read_picture, file_format="JPEG 2000"),
    ),
)
"""All formats; the first one that matches a file is its format."""

_USUAL = 3
"""How many of them, from the first, films usually have."""

FILM_SUFFIXES = frozenset(suffix for each in FORMATS for suffix in each.suffixes)
"""File name suffixes of all formats, in lower case."""


def format_names(conjunction: str, other: str = "") -> str:
    """Return the names of all formats for a sentence: "DICOM, JPEG or PNG, or TIFF or JPEG 2000".

    Parameters
    ----------
    conjunction
        Put before the last of the usual formats, and before the others.
    other
        Put between the others; by default the same.
    """
    *usual, last = (each.name for each in FORMATS[:_USUAL])
    others = f" {other or conjunction} ".join(each.name for each in FORMATS[_USUAL:])
    return f"{', '.join(usual)} {conjunction} {last}, {conjunction} {others}"


def detect_format(data: bytes) -> FilmFormat | None:
    """Return the format of a file by its content; None if the program cannot read it."""
    return next((each for each in FORMATS if each.matches(data)), None)
