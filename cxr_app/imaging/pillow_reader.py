"""JPEG and PNG files decoded by Pillow: upright grey values, and remarks on the file."""

import logging
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageChops, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from cxr_app.errors import DAMAGE, raise_shortage
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.imaging.pixels import PixelArray, colour_fraction

PictureFormat = Literal["JPEG", "PNG"]

_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_SAMPLE_SIDE = 256

# At lower levels Pillow logs the content of Exif, which may name the patient.
logging.getLogger("PIL").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded file.

    Parameters
    ----------
    values
        Unsigned grey values, shape ``(rows, columns)``.
    bits
        Number of bits that they are stored in.
    colour_fraction
        As in `Radiograph`.
    remarks
        What a reader should know about the file.
    turned
        Whether rows and columns were exchanged to turn it upright.
    """

    values: PixelArray
    bits: int
    colour_fraction: float
    remarks: tuple[str, ...]
    turned: bool


def decode_picture(
    data: bytes, file_format: PictureFormat, side: int | None = None
) -> DecodedPicture:
    """Decode a file of allowed size.

    Raises one of `errors.DAMAGE` if its content is damaged or cut short.

    Parameters
    ----------
    data, file_format
        The file.
    side
        Allows the decoder to halve a JPEG's size, once to three times, as long as neither side gets
        shorter than this; None decodes every pixel.
    """
    silence_warnings("PIL")
    # The class of the format, because `Image.open` would warn of large images.
    image = (JpegImageFile if file_format == "JPEG" else PngImageFile)(BytesIO(data))
    image.draft(None, (side, side) if side else None)
    image.load()
    remarks = _remarks(image)
    upright = _upright(image)
    if upright is not image:
        remarks = (*remarks, "The picture was turned upright by its Exif orientation.")
    values, bits = _grey(upright)
    turned = upright is not image and image.getexif().get(_ORIENTATION, 1) >= 5
    return DecodedPicture(values, bits, _colour_fraction(upright), remarks, turned)


def _upright(image: PillowImage.Image) -> PillowImage.Image:
    """Return the image turned by its Exif orientation, or itself if there is none."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE as error:
        raise_shortage(error)
        return image
    return ImageOps.exif_transpose(image) if orientation in range(2, 9) else image


def _grey(image: PillowImage.Image) -> tuple[PixelArray, int]:
    """Reduce an image to unsigned grey values; also return their number of bits."""
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
