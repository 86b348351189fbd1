"""Pictures of more than 8 bits a sample that Pillow would reduce to 8, or reads otherwise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from cxr_app.imaging.codestream import codestream_size
from cxr_app.imaging.pixels import LUMINANCE
from cxr_app.imaging.stored_bits import PixelArray

_BITS_PER_SAMPLE = 258  # TIFF 6.0, section 8
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


@dataclass(frozen=True, slots=True)
class DeepPicture:
    """Grey values of more than 8 bits.

    Parameters
    ----------
    values
        Unsigned, shape ``(rows, columns)``.
    bits
        Number of bits that they are stored in.
    is_upright
        Whether they are turned by the orientation that the file states.
    """

    values: PixelArray
    bits: int
    is_upright: bool = False

    def turned(self, turn: PillowImage.Transpose | None) -> tuple[PixelArray, int]:
        """Return the values turned, and their number of bits."""
        if turn is None:
            return self.values, self.bits
        return np.asarray(PillowImage.fromarray(self.values).transpose(turn)), self.bits


def deep_picture(data: bytes, image: PillowImage.Image, file_format: str) -> DeepPicture | None:
    """Decode a picture that Pillow would not give whole; None if Pillow does.

    Raises one of `errors.DAMAGE` if its content is damaged.

    Parameters
    ----------
    data, file_format
        The file.
    image
        The file, opened but not loaded.
    """
    if isinstance(image, PngImageFile):
        return _deep_png(data, image)
    if isinstance(image, TiffImageFile):
        return _deep_tiff(data, image)
    return _deep_jpeg_2000(data, image) if file_format == "JPEG 2000" else None


def _deep_png(data: bytes, image: PngImageFile) -> DeepPicture | None:
    depth, colour_type = data[24], data[25]  # ISO/IEC 15948, 11.2.1
    if depth != 16 or (colour_type == 0 and not image.has_transparency_data):
        return None
    return DeepPicture(_luminance(_by_opencv(data)), 16)


def _deep_tiff(data: bytes, image: TiffImageFile) -> DeepPicture | None:
    tags = image.tag_v2
    bits = max(tags.get(_BITS_PER_SAMPLE, (1,)))
    if bits <= 8:
        return None
    if bits > 32:
        raise ValueError("the values have more than 32 bits")
    if image.mode in ("RGB", "RGBA", "RGBX", "LA", "CMYK"):
        return DeepPicture(_luminance(_by_opencv(data)), bits)
    white_is_zero = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    image.load()
    values = np.asarray(image)
    if values.dtype.kind == "i":
        low = int(values.min())
        values = values.astype(np.int64) + (2 ** (bits - 1) if low < 0 else 0)
    values = values.astype(np.uint16 if bits <= 16 else np.uint32)
    if white_is_zero:
        values = np.asarray((2**bits - 1 - values).astype(values.dtype))
    return DeepPicture(values, bits, is_upright=True)


def _deep_jpeg_2000(data: bytes, image: PillowImage.Image) -> DeepPicture | None:
    size = codestream_size(data)
    if size is None or size.precision <= 8:
        return None
    if size.precision > 16:
        raise ValueError("the values have more than 16 bits")
    if size.samples == 1:
        # Pillow moves values of any precision to the highest of 16 bits.
        values = np.asarray(image).astype(np.uint16) >> (16 - size.precision)
        return DeepPicture(values, size.precision)
    from openjpeg.utils import decode

    return DeepPicture(_luminance(decode(data), blue_first=False), size.precision)


def _by_opencv(data: bytes) -> NDArray[Any]:
    import cv2

    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise ValueError("the picture cannot be decoded")
    return np.asarray(found)


def _luminance(samples: NDArray[Any], *, blue_first: bool = True) -> NDArray[np.uint16]:
    """Reduce two to four samples a pixel to grey; transparent parts become black."""
    if samples.ndim == 2:
        return samples.astype(np.uint16)
    count = samples.shape[2]
    if count < 3:
        grey = samples[..., 0].astype(np.float64)
    else:
        weights = LUMINANCE[::-1] if blue_first else LUMINANCE
        grey = samples[..., :3] @ weights
    if count in (2, 4):
        grey *= samples[..., -1] / np.iinfo(samples.dtype).max
    return np.asarray(np.rint(grey).astype(np.uint16))
