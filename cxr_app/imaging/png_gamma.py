"""The gamma of a PNG file: its samples as its sender saw them."""

import numpy as np
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngImageFile

from cxr_app.imaging.pixels import full_range
from cxr_app.imaging.stored_bits import PixelArray

_DISPLAY_GAMMA = 2.2
_EQUAL = 0.05


def with_gamma(values: PixelArray, bits: int, image: PillowImage.Image) -> PixelArray:
    """Return grey values as a display shows them, whatever exponent their file stores them with.

    Other files than PNG, and a PNG with a colour profile or without gAMA, are returned as they are.

    Parameters
    ----------
    values
        Unsigned.
    bits
        Their number of bits.
    image
        The file that they are from.

    References
    ----------
    PNG (W3C), 11.3.2.2 and 13.13.
    """
    gamma = image.info.get("gamma")
    if not isinstance(image, PngImageFile) or not isinstance(gamma, float):
        return values
    if "srgb" in image.info or "icc_profile" in image.info or not 0.01 < gamma < 100:
        return values
    exponent = 1 / (gamma * _DISPLAY_GAMMA)
    if abs(exponent - 1) < _EQUAL:
        return values
    _, white = full_range(int(values.min()), int(values.max()), bits, signed=False)
    table = np.rint(white * (np.arange(white + 1) / white) ** exponent)
    return np.asarray(table.astype(values.dtype)[values])
