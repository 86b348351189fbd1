"""Pixels that are not square: a film is shown in the proportions of the body."""

from dataclasses import replace

import numpy as np
from PIL import Image as PillowImage
from pydicom import Dataset

from cxr_app.imaging.dicom_values import numbers
from cxr_app.imaging.limits import MAX_PIXELS
from cxr_app.radiograph import Softcopy

_RATIOS = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
)
"""All hold the vertical distance first; the first one found counts."""
_ROUNDED = 0.01
_STEEPEST = 10.0
_WHOLE = 1e-3


def aspect_ratio(ds: Dataset) -> float:
    """Return the height of a pixel, its width being 1; 1 if unknown or absurd.

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.7 and 10.7.1.3.
    """
    for keyword in _RATIOS:
        found = numbers(ds, keyword)
        if len(found) == 2 and np.isfinite(found).all() and min(found) > 0:
            ratio = found[0] / found[1]
            is_square = abs(ratio - 1) <= _ROUNDED or not 1 / _STEEPEST <= ratio <= _STEEPEST
            return 1.0 if is_square else ratio
    return 1.0


def with_square_pixels(softcopy: Softcopy, ratio: float) -> Softcopy:
    """Return a film with square pixels, and say so; it keeps all its pixels if limits allow.

    Pixels are repeated where a whole number of them fits, so that each keeps its grey; else
    values are interpolated.

    Parameters
    ----------
    softcopy
        The film.
    ratio
        The height of its pixels, their width being 1.
    """
    if ratio == 1.0:
        return softcopy
    rows, columns = softcopy.values.shape
    size = (rows, round(columns / ratio)) if ratio < 1 else (round(rows * ratio), columns)
    if size[0] * size[1] > MAX_PIXELS:
        size = (round(rows * ratio), columns) if ratio < 1 else (rows, round(columns / ratio))
    size = (max(1, size[0]), max(1, size[1]))
    hidden = softcopy.hidden
    if hidden is not None:
        image = PillowImage.fromarray(hidden.astype(np.uint8))
        resized = image.resize(size[::-1], PillowImage.Resampling.NEAREST)
        hidden = np.asarray(resized).astype(np.bool_)
    image = PillowImage.fromarray(softcopy.values.astype(np.float32), mode="F")
    values = np.asarray(image.resize(size[::-1], _filter(ratio)))
    remark = (
        f"The pixels of the file are not square ({ratio:.3g} : 1): the film is shown in its true "
        "proportions."
    )
    return replace(
        softcopy,
        values=np.rint(values).astype(np.uint16),
        hidden=hidden,
        remarks=(*softcopy.remarks, remark),
    )


def _filter(ratio: float) -> PillowImage.Resampling:
    times = max(ratio, 1 / ratio)
    is_whole = abs(times - round(times)) < _WHOLE
    return PillowImage.Resampling.BOX if is_whole else PillowImage.Resampling.BILINEAR
