"""What Pillow makes of a JPEG or PNG file: grey values, upright, and what was found on the way."""

import logging
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageChops, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from cxr_app.errors import DAMAGE, silence_warnings
from cxr_app.imaging.pixels import PixelArray, colour_fraction

PictureFormat = Literal["JPEG", "PNG"]

_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_SAMPLE_SIDE = 256

# Below this level Pillow logs what Exif holds, which may name the patient.
logging.getLogger("PIL").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded file.

    Parameters
    ----------
    values
        Unsigned grey values, shape ``(rows, columns)``.
    bits
        The number of bits that they are stored in.
    colour_fraction
        As in `Radiograph`.
    remarks
        What a reader should know of the file.
    turned
        Whether rows and columns changed places to bring it upright.
    """

    values: PixelArray
    bits: int
    colour_fraction: float
    remarks: tuple[str, ...]
    turned: bool


def unfold(data: bytes, file_format: PictureFormat, side: int | None = None) -> DecodedPicture:
    """Decode a file of allowed size.

    Raises one of `errors.DAMAGE` where its content is damaged or cut short.

    Parameters
    ----------
    data, file_format
        The file.
    side
        Allows the decoder to halve a JPEG's size, once to three times, while neither side gets
        below this; None wants every pixel.
    """
    silence_warnings("PIL")
    # The format's own class: `Image.open` would warn of large images by itself.
    image = (JpegImageFile if file_format == "JPEG" else PngImageFile)(BytesIO(data))
    image.draft(None, (side, side) if side else None)
    image.load()
    remarks = _remarks(image)
    upright = _upright(image)
    if upright is not image:
        remarks = (*remarks, "The picture was turned as its camera noted (Exif orientation).")
    values, bits = _grey(upright)
    turned = upright is not image and image.getexif().get(_ORIENTATION, 1) >= 5
    return DecodedPicture(values, bits, _colour_fraction(upright), remarks, turned)


def _upright(image: PillowImage.Image) -> PillowImage.Image:
    """Turn the image as its Exif orientation says; return it itself where that says nothing."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE:
        return image
    return ImageOps.exif_transpose(image) if orientation in range(2, 9) else image


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
