"""A DICOM film decoded by GDCM, and shown over the range of its stored bits."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def is_installed() -> bool:
    """Return whether GDCM is installed (`pip install python-gdcm`)."""
    return find_spec("gdcm") is not None


def render(path: Path) -> NDArray[np.float64] | None:
    """Render the first frame of a grey film; None if GDCM cannot.

    GDCM has no windows and tables for display, so that this says how it decodes.

    Returns
    -------
    image
        Shape ``(rows, columns)``, in ``[0, 1]``.
    """
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        return None
    image = reader.GetImage()
    form = image.GetPixelFormat()
    if form.GetSamplesPerPixel() != 1:
        return None
    kind = "i" if form.GetPixelRepresentation() else "u"
    columns, rows = image.GetDimensions()[:2]
    data = image.GetBuffer().encode("utf-8", errors="surrogateescape")
    values = np.frombuffer(data, f"<{kind}{form.GetBitsAllocated() // 8}")[: rows * columns]
    shown = values.reshape(rows, columns) / (2 ** form.GetBitsStored() - 1)
    is_inverted = "MONOCHROME1" in str(image.GetPhotometricInterpretation())
    return np.asarray(1 - shown if is_inverted else shown)
