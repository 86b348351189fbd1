"""Pixel padding: pixels that were added to a film, and hold nothing of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.dicom_values import integer
from cxr_app.imaging.stored_bits import PixelArray


def without_padding(
    stored: PixelArray, ds: Dataset, hidden: NDArray[np.bool_] | None, *, dark_is_high: bool
) -> tuple[PixelArray, int, int] | tuple[PixelArray, float, float]:
    """Set padding to the film's darkest value; also return the smallest and largest value.

    Parameters
    ----------
    stored
        Stored values, shape ``(rows, columns)``.
    ds
        The header.
    hidden
        Other pixels that hold nothing of the film; None if there are none.
    dark_is_high
        Whether large stored values are dark.

    References
    ----------
    DICOM PS3.3 C.7.5.1.1.2.
    """
    padded = _padding_mask(stored, ds)
    if padded is not None and padded.all() and not np.issubdtype(stored.dtype, np.integer):
        raise PixelDataError("The pixel data holds no numbers: export the original film again.")
    if hidden is not None:
        padded = hidden if padded is None or (padded | hidden).all() else padded | hidden
    if padded is not None and padded.any() and not padded.all():
        film = stored[~padded]
        low, high = film.min().item(), film.max().item()
        stored = np.where(padded, stored.dtype.type(high if dark_is_high else low), stored)
    else:
        low, high = stored.min().item(), stored.max().item()
    return stored, low, high


def _padding_mask(stored: PixelArray, ds: Dataset) -> NDArray[np.bool_] | None:
    if not np.issubdtype(stored.dtype, np.integer):
        return ~np.isfinite(stored)
    value = integer(ds, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(ds, "PixelPaddingRangeLimit")
    ends = (value, value if limit is None else limit)
    first, last = sorted(_as_stored(end, stored.dtype) for end in ends)
    return np.asarray((stored >= first) & (stored <= last))


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """Move a padding value written with the wrong sign into the range of the pixels."""
    bounds = np.iinfo(dtype)
    if bounds.min <= value <= bounds.max:
        return value
    wrapped = int(value % 2**bounds.bits)
    return wrapped if wrapped <= bounds.max else wrapped - 2**bounds.bits
