"""Pictures to film: too large ones are refused, the others decoded; there is no header."""

import struct

from cxr_app.errors import (
    DAMAGE,
    FilmTooLargeError,
    PixelDataError,
    UnsupportedImageError,
    raise_shortage,
)
from cxr_app.imaging.codestream import (
    CodestreamSize,
    check_size,
    codestream_size,
    count_scans,
)
from cxr_app.imaging.decoded_film import DecodedFilm
from cxr_app.imaging.isolated_decoder import decode_picture_in_subprocess
from cxr_app.imaging.limits import MAX_VISITS
from cxr_app.imaging.pillow_reader import DecodedPicture, PictureFormat, decode_picture
from cxr_app.imaging.pixels import plain_softcopy
from cxr_app.imaging.tiff_header import tiff_header

_LOSSLESS = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "a lossless JPEG file"),
    0xF7: "a JPEG-LS file",
}
"""Processes that are named by their frame marker (ITU-T T.81, B.1.1.3; T.87, C.1.1)."""


def read_film(
    data: bytes,
    *,
    file_format: PictureFormat,
    side: int | None = None,
    in_subprocess: bool = False,
) -> DecodedFilm:
    """Read a JPEG, PNG, TIFF or JPEG 2000 file.

    Colour is reduced to luminance, transparent parts are black, and the orientation that a camera
    recorded is applied. 8-bit grey values range from 0 to 255, and 16-bit ones over
    `pixels.full_range`.

    Parameters
    ----------
    data, file_format
        The file.
    side
        Allows the decoder to halve a JPEG's size, once to three times, as long as neither side gets
        shorter than this; None decodes every pixel.
    in_subprocess
        Whether to decode in a subprocess, see `isolated_decoder`.

    Raises
    ------
    FilmTooLargeError
        If the image has more pixels than allowed; none of them is decoded.
    PixelDataError
        If it has none, or they are damaged or cut short.
    UnsupportedImageError
        If it is a JPEG of more than 8 bits or a lossless one, or a TIFF of floating-point
        numbers.
    """
    size = _declared_size(data, file_format)
    if size is None:
        raise PixelDataError(
            f"The {file_format} file is cut short: it ends within its header. Send it again."
        )
    check_size(*size)
    if file_format == "TIFF":
        _check_numbers(data)
    if file_format == "JPEG":
        _check_process(codestream_size(data))
        _check_scans(size, count_scans(data))
    decode = decode_picture_in_subprocess if in_subprocess else decode_picture
    try:
        picture = decode(data, file_format, side)
    except DAMAGE as error:
        raise_shortage(error)
        raise PixelDataError(
            f"The {file_format} file is damaged or cut short: it cannot be decoded. Send it again."
        ) from error
    softcopy = plain_softcopy(
        picture.values, picture.bits, picture.colour_fraction, picture.remarks
    )
    return DecodedFilm(softcopy, full_size=_full_size(size, picture))


def _declared_size(data: bytes, file_format: PictureFormat) -> tuple[int, int] | None:
    """Read rows and columns from the header; None if the file ends before them."""
    if file_format == "TIFF":
        header = tiff_header(data)
        return (header.rows, header.columns) if header else None
    if file_format == "PNG":
        if data[12:16] != b"IHDR" or len(data) < 24:
            return None
        columns, rows = struct.unpack_from(">II", data, 16)  # ISO/IEC 15948, 11.2.1
        return rows, columns
    size = codestream_size(data)
    return (size.rows, size.columns) if size else None


def _check_numbers(data: bytes) -> None:
    """Refuse a TIFF of values that no range of greys is known for."""
    header = tiff_header(data)
    if header is not None and header.is_floating:
        raise UnsupportedImageError(
            "The TIFF file holds floating-point numbers, and does not say which of them is white. "
            "Export the film with 8 or 16 bits."
        )


def _check_process(size: CodestreamSize | None) -> None:
    """Refuse a sound JPEG file of a kind that is decoded only within DICOM."""
    if size is None or (size.precision == 8 and size.process not in _LOSSLESS):
        return
    kind = _LOSSLESS.get(size.process, f"a JPEG file of {size.precision} bits a value")
    raise UnsupportedImageError(
        f"The file is {kind}, which the program reads only within DICOM. Export the film as DICOM, "
        "PNG or TIFF, or as JPEG of 8 bits."
    )


def _check_scans(size: tuple[int, int], scans: int) -> None:
    """Refuse a progressive JPEG that draws its picture over and over."""
    if size[0] * size[1] * scans > MAX_VISITS:
        raise FilmTooLargeError(
            f"The JPEG file draws its {size[0]} × {size[1]} pixels in {scans} scans, more than "
            "any film needs. Export the film again."
        )


def _full_size(declared: tuple[int, int], picture: DecodedPicture) -> tuple[int, int] | None:
    """Return the size of the upright film if the picture is a reduced one."""
    upright = (declared[1], declared[0]) if picture.turned else declared
    return None if picture.values.shape == upright else upright
