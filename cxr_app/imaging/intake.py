"""Any bytes to a film, by what they are and never by what the file is called.

What is beyond `bounds` is refused before it is unfolded.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from cxr_app.errors import FilmTooLargeError, NotAFilmError
from cxr_app.imaging import dicom, raster
from cxr_app.imaging.limits import MAX_FILE_BYTES, MAX_FRAMES, MAX_PIXELS
from cxr_app.imaging.pixels import to_image
from cxr_app.radiograph import SCORED_SIDE, Header, Radiograph, Softcopy

FileFormat = Literal["DICOM", "JPEG", "PNG"]


def sniff(data: bytes) -> FileFormat | None:
    """Say what the content is; None where it is nothing that the program reads."""
    if raster.is_jpeg(data):
        return "JPEG"
    if raster.is_png(data):
        return "PNG"
    return "DICOM" if dicom.is_dicom(data) else None


def read_radiograph(data: bytes, sha256: str = "", *, apart: bool = False) -> Radiograph:
    """Read a film, ready to be scored: a large JPEG or JPEG 2000 by its decoder's own reduced size.

    Parameters
    ----------
    data
        The file as received.
    sha256
        Of `data`, where it is known already.
    apart
        Whether JPEG and PNG are decoded in a process of their own too, so that no file can end
        this one: a server wants that, a process that only reads films need not.

    Raises
    ------
    NotAFilmError
        If the content is neither DICOM, JPEG nor PNG.
    UnsupportedImageError
        If it is sound, but holds no image that the program shows.
    FilmTooLargeError
        If it is beyond `bounds`.
    PixelDataError
        If its pixels are missing, damaged or have no decoder here.
    """
    film = _read(data, SCORED_SIDE, apart=apart)
    return Radiograph(
        image=to_image(film.softcopy),
        sha256=sha256 or hashlib.sha256(data).hexdigest(),
        file_format=film.file_format,
        header=film.header,
        remarks=film.softcopy.remarks,
        colour_fraction=film.softcopy.colour_fraction,
        size=film.size,
    )


def read_softcopy(data: bytes, *, apart: bool = False) -> Softcopy:
    """Read a film, ready to be shown: values before windowing, and windows to choose from.

    Its first window shows what `read_radiograph` gives. Asks and raises what that does.
    """
    return _read(data, apart=apart).softcopy


@dataclass(frozen=True, slots=True)
class _Film:
    softcopy: Softcopy
    header: Header | None
    file_format: FileFormat
    size: tuple[int, int] | None = None


def _read(data: bytes, side: int | None = None, *, apart: bool = False) -> _Film:
    """Read a file; a film may be reduced to sides of no less than `side`."""
    if not data:
        raise NotAFilmError("The file is empty (0 bytes): export or send the film again.")
    if len(data) > MAX_FILE_BYTES:
        raise FilmTooLargeError(
            f"The file has {len(data) // 2**20} MB, more than the {MAX_FILE_BYTES // 2**20} MB "
            "allowed: export the single film."
        )
    file_format = sniff(data)
    if file_format is None:
        raise NotAFilmError(
            "The file is not a film: its content is neither DICOM, JPEG nor PNG, "
            "whatever its name says."
        )
    if file_format == "DICOM":
        softcopy, header, size = dicom.read_softcopy(
            data, max_pixels=MAX_PIXELS, max_frames=MAX_FRAMES, side=side
        )
        return _Film(softcopy, header, file_format, size)
    softcopy, size = raster.read_softcopy(
        data, file_format, max_pixels=MAX_PIXELS, side=side, apart=apart
    )
    return _Film(softcopy, None, file_format, size)
