"""Films as the program shows them and as pydicom does."""

from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from cxr_app.imaging.intake import read_radiograph
from cxr_app.radiograph import Image
from tests.support.factories import dicom_bytes

LEVEL = 1 / 255
"""One grey level."""


def image_of(ds: Dataset) -> Image:
    return read_radiograph(dicom_bytes(ds)).image


def as_shown_by_pydicom(ds: Dataset, low: float, high: float) -> np.ndarray[Any, Any]:
    """Return brightness by pydicom, whose output range is `low` to `high`, polarity last."""
    parsed = dcmread(BytesIO(dicom_bytes(ds)))
    output = apply_voi_lut(apply_modality_lut(parsed.pixel_array, parsed), parsed)
    shown = (output.astype(np.float64) - low) / (high - low)
    return 1 - shown if parsed.PhotometricInterpretation == "MONOCHROME1" else shown
