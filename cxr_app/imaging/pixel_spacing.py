"""The distance of pixels in mm, and what it was measured at: body or detector."""

from math import isclose, isfinite
from typing import Literal

from pydicom import Dataset

from cxr_app.imaging.dicom_values import integer, numbers, text
from cxr_app.radiograph import PixelSpacing

Basis = Literal["calibrated", "at the detector", "not stated"]
_CREDIBLE = (0.01, 5.0)
"""Distances in mm that a radiograph can have; others are damage."""
_EQUAL = 1e-3
_CALIBRATED = ("GEOMETRY", "FIDUCIAL")


def spacing_of(ds: Dataset, shape: tuple[int, ...]) -> PixelSpacing | None:
    """Return the spacing of an image's pixels; None if the file does not state it.

    Pixel Spacing that differs from Imager Pixel Spacing has been calibrated; equal ones are both at
    the detector. Without the second, only Pixel Spacing Calibration Type tells which it is.

    Parameters
    ----------
    shape
        Rows and columns of the pixels, which may be fewer or more than the file has.

    References
    ----------
    DICOM PS3.3 10.7.1.1 and 10.7.1.3.
    """
    stated = _pair(ds, "PixelSpacing")
    detector = _pair(ds, "ImagerPixelSpacing") or _pair(ds, "NominalScannedPixelSpacing")
    kind = text(ds, "PixelSpacingCalibrationType").upper()
    if stated is None:
        return _scaled(detector, ds, shape, "at the detector")
    if kind in _CALIBRATED:
        return _scaled(stated, ds, shape, "calibrated")
    if detector is None:
        return _scaled(stated, ds, shape, "not stated")
    same = all(isclose(*both, rel_tol=_EQUAL) for both in zip(stated, detector, strict=True))
    return _scaled(stated, ds, shape, "at the detector" if same else "calibrated")


def _pair(ds: Dataset, keyword: str) -> tuple[float, float] | None:
    found = numbers(ds, keyword)
    low, high = _CREDIBLE
    if len(found) != 2 or not all(isfinite(each) and low <= each <= high for each in found):
        return None
    return float(found[0]), float(found[1])


def _scaled(
    pair: tuple[float, float] | None, ds: Dataset, shape: tuple[int, ...], basis: Basis
) -> PixelSpacing | None:
    rows, columns = integer(ds, "Rows") or 0, integer(ds, "Columns") or 0
    if pair is None or not rows or not columns:
        return None
    return PixelSpacing(pair[0] * rows / shape[0], pair[1] * columns / shape[1], basis)
