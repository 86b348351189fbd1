"""Any bytes to a film, by their content and never by the name of the file.

A film beyond `limits` is refused before it is decoded.
"""

import hashlib
from dataclasses import replace

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    NotAFilmError,
    UnsupportedImageError,
    raise_shortage,
)
from cxr_app.imaging.decoded_film import DecodedFilm
from cxr_app.imaging.formats import FilmFormat, detect_format, format_names
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.imaging.other_kinds import other_kind
from cxr_app.imaging.passed_over import is_passed_over
from cxr_app.imaging.pixels import to_image
from cxr_app.imaging.windowing import presets, without_repeats
from cxr_app.imaging.zip_archive import is_zip, members
from cxr_app.radiograph import SCORED_SIDE, Radiograph, Softcopy


def sniff(data: bytes) -> str | None:
    """Return the name of the content's format; None if the program cannot read it."""
    found = detect_format(data)
    return found.name if found else None


def read_radiograph(data: bytes, sha256: str = "", *, in_subprocess: bool = False) -> Radiograph:
    """Read a film to score it; the decoder may reduce a large JPEG or JPEG 2000.

    Parameters
    ----------
    data
        The file as received.
    sha256
        Of `data`, if it is known already.
    in_subprocess
        Whether JPEG and PNG are decoded in a subprocess too, so that no file can end this process.
        A server needs that; a process that does nothing but read films does not.

    Raises
    ------
    NotAFilmError
        If the content has none of the formats of films.
    UnsupportedImageError
        If the content is sound, but holds no image that the program can show.
    FilmTooLargeError
        If it is beyond `limits`.
    PixelDataError
        If its pixels are missing or damaged, or there is no decoder for them.
    ShortageError
        If this computer is short of memory or other resources; the film may be sound.
    """
    file_format = _check(data)
    film = _read(file_format, data, SCORED_SIDE, in_subprocess=in_subprocess)
    return Radiograph(
        image=to_image(film.softcopy),
        sha256=sha256 or hashlib.sha256(data).hexdigest(),
        file_format=file_format.name,
        header=film.header,
        remarks=film.softcopy.remarks,
        colour_fraction=film.softcopy.colour_fraction,
        size=film.full_size,
        objection=film.objection,
    )


def read_softcopy(data: bytes, *, in_subprocess: bool = False) -> Softcopy:
    """Read a film to show it: values before windowing, and windows to choose from.

    The first window gives the image of `read_radiograph`. Parameters and errors are the same.
    """
    softcopy = _read(_check(data), data, in_subprocess=in_subprocess).softcopy
    return replace(softcopy, windows=without_repeats((*softcopy.windows, *presets(softcopy))))


def _check(data: bytes) -> FilmFormat:
    """Return the format of a file of allowed size, or refuse the file."""
    if not data:
        raise NotAFilmError("The file is empty (0 bytes): export or send the film again.")
    if len(data) > MAX_FILE_BYTES:
        raise FilmTooLargeError(
            f"The file has {len(data) // 2**20} MB, more than the {MAX_FILE_BYTES // 2**20} MB "
            "allowed: export the single film."
        )
    file_format = detect_format(data)
    if file_format is None:
        raise _unknown(data)
    return file_format


def _unknown(data: bytes) -> FilmError:
    """Return what is wrong with a file of a format that the program cannot read."""
    if is_zip(data):
        return _archive_problem(data)
    kind = other_kind(data)
    if kind is not None:
        return UnsupportedImageError(
            f"The file is {kind.name}, which the program does not read. {kind.advice}"
        )
    return NotAFilmError(
        f"The file is not a film: its content is neither {format_names('nor', 'or')}, "
        "whatever its name says."
    )


def _archive_problem(data: bytes) -> FilmError:
    """Return why an archive is not read as a film."""
    try:
        count = sum(not is_passed_over(each.name, each.content) for each in members(data))
    except FilmError as error:
        return error
    return UnsupportedImageError(
        f"The file is a zip archive that holds {count or 'no'} film{'' if count == 1 else 's'}. "
        "Upload it, or unpack it and send the films."
    )


def _read(
    file_format: FilmFormat, data: bytes, side: int | None = None, *, in_subprocess: bool = False
) -> DecodedFilm:
    """Read a file; the film may be reduced to sides not shorter than `side`."""
    try:
        return file_format.read(data, side=side, in_subprocess=in_subprocess)
    except MemoryError as error:
        raise_shortage(error)
        raise
