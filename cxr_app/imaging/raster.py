"""JPEG and PNG to film: what is too large is refused, the rest decoded; there is no header."""

import struct

from cxr_app.errors import DAMAGE, FilmTooLargeError, PixelDataError
from cxr_app.imaging.codestream import check_size, codestream_size, count_scans
from cxr_app.imaging.isolated_decoder import read_picture_in_subprocess
from cxr_app.imaging.limits import MAX_VISITS
from cxr_app.imaging.pillow_reader import DecodedPicture, PictureFormat, unfold
from cxr_app.imaging.pixels import plain_softcopy
from cxr_app.radiograph import Softcopy

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_jpeg(data: bytes) -> bool:
    """Say whether `data` begins like a JPEG file."""
    return data.startswith(_JPEG_SIGNATURE)


def is_png(data: bytes) -> bool:
    """Say whether `data` begins like a PNG file."""
    return data.startswith(_PNG_SIGNATURE)


def read_softcopy(
    data: bytes,
    file_format: PictureFormat,
    *,
    max_pixels: int,
    side: int | None = None,
    apart: bool = False,
) -> tuple[Softcopy, tuple[int, int] | None]:
    """Read a JPEG or PNG file.

    Colour is reduced to luminance, transparent parts are black, and the orientation that a camera
    noted is applied. 8-bit grey values run from 0 to 255, 16-bit ones as `pixels.full_range` says.

    Parameters
    ----------
    data, file_format
        The file.
    max_pixels
        A larger image is refused.
    side
        Allows the decoder to halve a JPEG's size, once to three times, while neither side gets
        below this; None wants every pixel.
    apart
        Whether to decode in a process of its own, as `decoder_process` says.

    Returns
    -------
    softcopy
        The film.
    size
        Rows and columns of the film where it was reduced, else None.

    Raises
    ------
    FilmTooLargeError
        If the image has more pixels than allowed; none of them is unfolded.
    PixelDataError
        If it has none, or they are damaged or cut short.
    """
    size = _declared_size(data, file_format)
    if size is None:
        raise PixelDataError(
            f"The {file_format} file is cut short: it ends within its header. Send it again."
        )
    check_size(*size, max_pixels)
    if file_format == "JPEG":
        _check_scans(size, count_scans(data))
    try:
        picture = (read_picture_in_subprocess if apart else unfold)(data, file_format, side)
    except DAMAGE as error:
        raise PixelDataError(
            f"The {file_format} file is damaged or cut short: it cannot be decoded. Send it again."
        ) from error
    softcopy = plain_softcopy(
        picture.values, picture.bits, picture.colour_fraction, picture.remarks
    )
    return softcopy, _full_size(size, picture)


def _declared_size(data: bytes, file_format: str) -> tuple[int, int] | None:
    """Read rows and columns from the header; None where it ends before it says them."""
    if file_format == "PNG":
        if data[12:16] != b"IHDR" or len(data) < 24:
            return None
        columns, rows = struct.unpack_from(">II", data, 16)  # ISO/IEC 15948, 11.2.1
        return rows, columns
    size = codestream_size(data)
    return (size.rows, size.columns) if size else None


def _check_scans(size: tuple[int, int], scans: int) -> None:
    """Refuse a progressive JPEG that draws its picture over and over."""
    if size[0] * size[1] * scans > MAX_VISITS:
        raise FilmTooLargeError(
            f"The JPEG file draws its {size[0]} × {size[1]} pixels in {scans} scans, more than "
            "any film needs. Export the film again."
        )


def _full_size(declared: tuple[int, int], picture: DecodedPicture) -> tuple[int, int] | None:
    """Say which size the film has, upright, where the picture is a reduced one."""
    upright = (declared[1], declared[0]) if picture.turned else declared
    return None if picture.values.shape == upright else upright
