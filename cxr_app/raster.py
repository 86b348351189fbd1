"""JPEG and PNG to film: decoding by Pillow, reduced to brightness; there is no header to read."""

import logging
import struct
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageChops, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from cxr_app.bounds import MAX_VISITS
from cxr_app.codestream import check_size, codestream_size, count_scans
from cxr_app.errors import DAMAGE, FilmTooLargeError, PixelDataError, keep_quiet
from cxr_app.pixels import PixelArray, colour_fraction, plain_softcopy
from cxr_app.radiograph import Softcopy

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_SAMPLE_SIDE = 256

# Below this level Pillow logs what Exif holds, which may name the patient.
logging.getLogger("PIL").setLevel(logging.WARNING)


def is_jpeg(data: bytes) -> bool:
    """Say whether `data` begins like a JPEG file."""
    return data.startswith(_JPEG_SIGNATURE)


def is_png(data: bytes) -> bool:
    """Say whether `data` begins like a PNG file."""
    return data.startswith(_PNG_SIGNATURE)


def read_softcopy(
    data: bytes, file_format: Literal["JPEG", "PNG"], *, max_pixels: int, side: int | None = None
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
    keep_quiet("PIL")
    size = _declared_size(data, file_format)
    if size is None:
        raise PixelDataError(
            f"The {file_format} file is cut short: it ends within its header. Send it again."
        )
    check_size(*size, max_pixels)
    if file_format == "JPEG":
        _check_scans(size, count_scans(data))
    try:
        # The format's own class: `Image.open` would warn of large images by itself.
        image = (JpegImageFile if file_format == "JPEG" else PngImageFile)(BytesIO(data))
        image.draft(None, (side, side) if side else None)
        image.load()
        remarks = _remarks(image)
        upright = _upright(image)
    except DAMAGE as error:
        raise PixelDataError(
            f"The {file_format} file is damaged or cut short: it cannot be decoded. Send it again."
        ) from error
    if upright is not image:
        remarks = (*remarks, "The picture was turned as its camera noted (Exif orientation).")
    values, bits = _grey(upright)
    softcopy = plain_softcopy(values, bits, _colour_fraction(upright), remarks)
    return softcopy, _full_size(size, image, upright)


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


def _upright(image: PillowImage.Image) -> PillowImage.Image:
    """Turn the image as its Exif orientation says; return it itself where that says nothing."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE:
        return image
    return ImageOps.exif_transpose(image) if orientation in range(2, 9) else image


def _full_size(
    declared: tuple[int, int], image: PillowImage.Image, upright: PillowImage.Image
) -> tuple[int, int] | None:
    """Say which size the film has, upright, where the image is a reduced one."""
    if (image.height, image.width) == declared:
        return None
    lies = upright is not image and image.getexif().get(_ORIENTATION, 1) >= 5
    return (declared[1], declared[0]) if lies else declared


def _grey(image: PillowImage.Image) -> tuple[PixelArray, int]:
    """Reduce an image to unsigned grey values; also return the number of bits they have."""
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16), 16
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        grey = ImageChops.multiply(opaque.convert("RGB").convert("L"), opaque.getchannel("A"))
    elif image.mode in ("1", "L", "RGB"):
        grey = image.convert("L")
    else:
        grey = image.convert("RGB").convert("L")
    return np.asarray(grey), 8


def _colour_fraction(image: PillowImage.Image) -> float:
    if image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I"):
        return 0.0
    smaller = (min(image.width, _SAMPLE_SIDE), min(image.height, _SAMPLE_SIDE))
    sample = image.resize(smaller, PillowImage.Resampling.NEAREST).convert("RGB")
    return colour_fraction(np.asarray(sample))


def _remarks(image: PillowImage.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1)
    remarks = []
    if frames > 1:
        remarks.append(f"The file holds {frames} frames: only the first is shown and scored.")
    if image.has_transparency_data:
        remarks.append("Transparent parts of the picture are shown black.")
    return tuple(remarks)
