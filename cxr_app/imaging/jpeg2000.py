"""JPEG 2000 decoded at one of its lower resolutions, which takes much less time."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from cxr_app.imaging.codestream import codestream_size


def decode_reduced(codestream: bytes, halvings: int) -> NDArray[Any]:
    """Decode a grey, unsigned codestream with its sides halved `halvings` times, rounded up.

    The result covers the same area as the full image, up to its edges.

    Raises
    ------
    ValueError
        If it declares no size, or holds values of more than 16 bits.
    OSError
        If it is damaged, or has fewer resolutions.
    """
    size = codestream_size(codestream)
    if size is None or size.precision > 16:
        raise ValueError("the codestream cannot be reduced")
    image = _Halved(BytesIO(codestream))
    image.halve(halvings)
    image.load()
    values = np.asarray(image)
    # Pillow moves values of any precision to the highest bits of 8 or 16.
    values = values >> (8 * values.itemsize - size.precision)
    across = _centred(values.T, size.columns, halvings).T
    return np.rint(_centred(across, size.rows, halvings)).astype(values.dtype)


class _Halved(Jpeg2KImageFile):
    """An image whose halved sides are rounded up, as by the decoder; Pillow rounds to nearest."""

    def halve(self, times: int) -> None:
        step = 2**times
        width, height = self.size
        self._size = (-(-width // step) * step, -(-height // step) * step)
        self.reduce = times


def _centred(values: NDArray[Any], whole: int, halvings: int) -> NDArray[np.float32]:
    """Interpolate between rows, so that each lies in the middle of the `whole` rows it represents.

    A low-frequency row of a wavelet lies on the first of those rows, which would shift the film by
    up to half a row and change its score by up to 0.01.
    """
    rows = len(values)
    places = ((np.arange(rows) + 0.5) * whole / rows - 0.5) / 2**halvings
    first = np.floor(places).astype(int)
    second = np.minimum(first + 1, rows - 1)
    share = (places - first).astype(np.float32)[:, None]
    return np.asarray(values[first] * (1 - share) + values[second] * share)
