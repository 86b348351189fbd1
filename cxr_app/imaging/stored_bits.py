"""The stored value among the allocated bits of a decoded sample.

What lies above and below it (overlays, padding of a writer) is no part of the film.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_app.imaging.dicom_values import OVERLAY_GROUPS, element_value, integer

PixelArray = NDArray[Any]
"""Stored values as decoded, shape ``(rows, columns)`` or ``(rows, columns, samples)``."""


def has_odd_high_bit(ds: Dataset) -> bool:
    """Check whether the values are above the lowest bits, which the standard forbids since 2014."""
    allocated, stored, high = _bits(ds)
    return 1 < stored <= high < allocated and allocated in (8, 16, 32)


def is_clipped(ds: Dataset, precision: int) -> bool:
    """Check whether values beyond the stored bits are results of a lossy compression.

    It may overshoot a little, so that such a value is white; cut, it would be black. It cannot have
    been the cause in a signed film, or where the header says that the bits above hold an overlay.

    Parameters
    ----------
    precision
        Bits of a sample of the codestream.
    """
    _, stored, high = _bits(ds)
    has_overlay = any(element_value(ds, group, 0x0102) for group in OVERLAY_GROUPS)
    unsigned = integer(ds, "PixelRepresentation") == 0
    return unsigned and not has_overlay and 0 < stored < precision and high == stored - 1


def cut(decoded: PixelArray, ds: Dataset, precision: int = 0) -> PixelArray:
    """Return the stored values: Bits Stored bits, the highest one at High Bit, then the sign.

    Parameters
    ----------
    decoded
        Samples as a decoder returns them, in two's complement.
    ds
        The header.
    precision
        Bits of a sample of the codestream. If it ends below High Bit, it holds the value alone and
        not its neighbours. 0 for samples of all allocated bits.

    References
    ----------
    DICOM PS3.5 8.1.1.
    """
    if not np.issubdtype(decoded.dtype, np.integer):
        return decoded
    width = decoded.itemsize * 8
    _, stored, high = _bits(ds)
    if not 1 < stored <= width or (0 < precision <= high):
        stored = min(stored if stored > 1 else width, precision or width)
        high = stored - 1
    if not stored - 1 <= high < width:
        high = stored - 1
    signed = integer(ds, "PixelRepresentation") == 1
    values = decoded.view(f"{decoded.dtype.byteorder}{'i' if signed else 'u'}{decoded.itemsize}")
    if stored == width:
        return values
    return np.asarray((values << (width - 1 - high)) >> (width - stored))


def _bits(ds: Dataset) -> tuple[int, int, int]:
    """Return Bits Allocated, Bits Stored and High Bit; 0 for what is missing."""
    return (
        integer(ds, "BitsAllocated") or 0,
        integer(ds, "BitsStored") or 0,
        integer(ds, "HighBit") or 0,
    )
