"""Files that are no films the program can read, by what they are and what helps."""

from collections.abc import Callable
from dataclasses import dataclass

_EXPORT = "Export the film as DICOM, PNG or TIFF."
_UNPACK = "Unpack it, or send a zip archive."


@dataclass(frozen=True, slots=True)
class OtherKind:
    """A kind of file.

    Parameters
    ----------
    name
        With its article, for a sentence.
    advice
        What to do.
    matches
        Checks by its first bytes whether a file is of this kind.
    may_hold_films
        Whether it is a picture or an archive; the others are passed over.
    """

    name: str
    advice: str
    matches: Callable[[bytes], bool]
    may_hold_films: bool = False


def _starts(*signatures: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(signatures, at)


def _is_boxed(*brands: bytes) -> Callable[[bytes], bool]:
    """Return a check for ISO base media files of some brands (ISO/IEC 14496-12, 4.3)."""
    return lambda data: data[4:8] == b"ftyp" and data[8:12] in brands


_KINDS = (
    OtherKind(
        "a WebP picture",
        _EXPORT,
        lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
        may_hold_films=True,
    ),
    OtherKind(
        "a HEIC picture",
        _EXPORT,
        _is_boxed(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        may_hold_films=True,
    ),
    OtherKind("an AVIF picture", _EXPORT, _is_boxed(b"avif", b"avis"), may_hold_films=True),
    OtherKind(
        "a JPEG XL picture",
        _EXPORT,
        _starts(b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
        may_hold_films=True,
    ),
    OtherKind("a JPEG XR picture", _EXPORT, _starts(b"II\xbc\x01"), may_hold_films=True),
    OtherKind("a GIF picture", _EXPORT, _starts(b"GIF87a", b"GIF89a"), may_hold_films=True),
    OtherKind(
        "a BMP picture",
        _EXPORT,
        lambda data: data[:2] == b"BM" and data[6:10] == bytes(4),
        may_hold_films=True,
    ),
    OtherKind("a Photoshop picture", _EXPORT, _starts(b"8BPS"), may_hold_films=True),
    OtherKind(
        "a NIfTI volume",
        "Export the film as DICOM.",
        lambda data: data[344:348] in (b"n+1\x00", b"ni1\x00") or data[4:8] == b"n+2\x00",
        may_hold_films=True,
    ),
    OtherKind("a NRRD volume", "Export the film as DICOM.", _starts(b"NRRD0"), may_hold_films=True),
    OtherKind(
        "a PDF document",
        "Export the film itself, not its report.",
        _starts(b"%PDF-"),
    ),
    OtherKind("a gzip archive", _UNPACK, _starts(b"\x1f\x8b"), may_hold_films=True),
    OtherKind("a bzip2 archive", _UNPACK, _starts(b"BZh"), may_hold_films=True),
    OtherKind("an xz archive", _UNPACK, _starts(b"\xfd7zXZ\x00"), may_hold_films=True),
    OtherKind("a Zstandard archive", _UNPACK, _starts(b"\x28\xb5\x2f\xfd"), may_hold_films=True),
    OtherKind("a 7-Zip archive", _UNPACK, _starts(b"7z\xbc\xaf\x27\x1c"), may_hold_films=True),
    OtherKind("a RAR archive", _UNPACK, _starts(b"Rar!\x1a\x07"), may_hold_films=True),
    OtherKind("a tar archive", _UNPACK, _starts(b"ustar", at=257), may_hold_films=True),
    OtherKind("a program", "Choose the films.", _starts(b"MZ", b"\x7fELF")),
    OtherKind(
        "a video",
        "Export the film as a picture.",
        lambda data: data[4:8] == b"ftyp" or data[8:12] == b"AVI ",
    ),
    OtherKind(
        "a web page",
        "Choose the films.",
        lambda data: data[:256].lstrip().lower().startswith((b"<!doctype html", b"<html")),
    ),
)
"""The first one that matches a file is its kind."""


def other_kind(data: bytes) -> OtherKind | None:
    """Return what a file is that has no format of films; None if that is unknown."""
    return next((kind for kind in _KINDS if kind.matches(data)), None)
