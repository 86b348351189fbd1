"""What marks a DICOM object as a result of this program, so that it is never scored as a film.

Archives forward what they receive: a result that comes back must end there.
"""

import re
from uuid import UUID

from pydicom import Dataset

from cxr_app.imaging.dicom_values import text

MANUFACTURER = "Chest film triage"
MODEL_NAME = "Pneumonia triage"
SERIES_PREFIX = "AI triage"
"""First words of (0008,103E) *Series Description* of every result."""

_UUID_ROOT = "2.25."
_HASHED = 5


def is_own_result(dataset: Dataset) -> bool:
    """Check whether an object was made by this program, on this server or on another.

    Its manufacturer and model name say so; if a router has changed them, its series description
    together with a UID that was derived from a hash does.

    Parameters
    ----------
    dataset
        Any object; its pixels are not read.
    """
    maker = (text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName"))
    if maker == (MANUFACTURER, MODEL_NAME):
        return True
    described = text(dataset, "SeriesDescription").startswith(SERIES_PREFIX)
    return described and _is_hashed(text(dataset, "SOPInstanceUID"))


def _is_hashed(uid: str) -> bool:
    """Check whether a UID is a version 5 UUID (DICOM PS3.5 B.2)."""
    number = uid.removeprefix(_UUID_ROOT)
    if number == uid or not re.fullmatch(r"\d{1,39}", number, re.ASCII):
        return False
    return int(number) < 2**128 and UUID(int=int(number)).version == _HASHED
