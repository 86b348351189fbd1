"""Files of pictures decoded by Pillow: upright grey values, and remarks on the file."""

import logging
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageChops
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from cxr_app.errors import DAMAGE, raise_shortage
from cxr_app.imaging.deep_pictures import deep_picture
from cxr_app.imaging.jpeg_end import completed_jpeg
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.imaging.pixels import colour_fraction
from cxr_app.imaging.png_gamma import with_gamma
from cxr_app.imaging.stored_bits import PixelArray

PictureFormat = Literal["JPEG", "PNG", "TIFF", "JPEG 2000"]

_CLASSES: dict[PictureFormat, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "JPEG 2000": Jpeg2KImageFile,
}
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_SAMPLE_SIDE = 256
_TURNS = {
    2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
    3: PillowImage.Transpose.ROTATE_180,
    4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
    5: PillowImage.Transpose.TRANSPOSE,
    6: PillowImage.Transpose.ROTATE_270,
    7: PillowImage.Transpose.TRANSVERSE,
    8: PillowImage.Transpose.ROTATE_90,
}

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
    image = _CLASSES[file_format](BytesIO(data))
    orientation = _orientation(image)
    deep = deep_picture(data, image, file_format)
    image = _loaded(image, data, side)
    remarks = _remarks(image)
    if orientation in _TURNS:
        remarks = (*remarks, "The picture was turned upright by its Exif orientation.")
    # Pillow itself turns a TIFF upright.
    is_upright = file_format == "TIFF" if deep is None else deep.is_upright
    turn = None if is_upright else _TURNS.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    values, bits = _grey(upright) if deep is None else deep.turned(turn)
    values = with_gamma(values, bits, image)
    colour = _colour_fraction(upright)
    return DecodedPicture(values, bits, colour, remarks, turned=orientation >= 5)


def _loaded(image: ImageFile, data: bytes, side: int | None) -> ImageFile:
    """Return an image with its pixels; a JPEG that lacks only its end mark is completed."""
    size = (side, side) if side else None
    try:
        image.draft(None, size)
        image.load()
    except DAMAGE as error:
        raise_shortage(error)
        completed = completed_jpeg(data) if isinstance(image, JpegImageFile) else None
        if completed is None:
            raise
        image = JpegImageFile(BytesIO(completed))
        image.draft(None, size)
        image.load()
    return image


def _orientation(image: PillowImage.Image) -> int:
    """Return the Exif orientation of an image; 1, as it is, if there is none."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE as error:
        raise_shortage(error)
        return 1
    return orientation if orientation in _TURNS else 1


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
    remarks = []
    if isinstance(image, TiffImageFile):
        if _has_second_page(image):
            remarks.append("The file holds several pages: only the first is shown and scored.")
    elif (frames := getattr(image, "n_frames", 1)) > 1:
        remarks.append(f"The file holds {frames} frames: only the first is shown and scored.")
    if image.has_transparency_data:
        remarks.append("Transparent parts of the picture are shown black.")
    return tuple(remarks)


def _has_second_page(image: TiffImageFile) -> bool:
    """Check for a second page, without reading those after it."""
    try:
        image.seek(1)
        image.seek(0)
    except EOFError:
        return False
    return True
