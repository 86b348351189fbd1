"""Values of an untrusted DICOM dataset: damaged ones count as missing, and never raise an error.

The same holds for values of a wrong type.
"""

import logging
import math
import re
from typing import Any
from unicodedata import category

from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID

from cxr_app.errors import DAMAGE, raise_shortage
from cxr_app.imaging.limits import MAX_SEQUENCE_BYTES

DICOM_DAMAGE = (*DAMAGE, BytesLengthException, InvalidDicomError)
"""What pydicom raises on a damaged file."""
OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
"""Groups of the elements of overlays (PS3.5 7.6)."""

# pydicom quotes odd values in its log messages, and they may be patient data. Here, for whoever
# reads a dataset imports this file.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

_LONGEST_TEXT = 1024
_MORE_NAMES = {
    "1.2.840.10008.1.2.1.98": "Encapsulated Uncompressed Explicit VR Little Endian",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.113619.5.2": "GE Private Implicit VR Big Endian",
}
"""Names of transfer syntaxes that pydicom does not know (PS3.6 A, and vendors')."""


def value(ds: Dataset, keyword: str) -> Any:
    """Return the value of an element; None if it is missing or damaged."""
    try:
        return ds.get(keyword)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return None


def element_value(ds: Dataset, group: int, place: int) -> Any:
    """Return the value of an element of a repeating group; None if it is missing or damaged."""
    try:
        found = ds.get((group, place))
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return None
    return None if found is None else found.value


def values(ds: Dataset, keyword: str) -> list[Any]:
    """Return the values of an element that may hold several; none if it is missing."""
    found = value(ds, keyword)
    if found is None:
        return []
    return list(found) if isinstance(found, MultiValue | list | tuple) else [found]


def items(ds: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none if it is missing, too long or not a sequence."""
    unread = ds.get_item(keyword) if keyword in ds else None
    if isinstance(unread, RawDataElement) and len(unread.value or b"") > MAX_SEQUENCE_BYTES:
        return []
    found = value(ds, keyword)
    return list(found) if isinstance(found, DicomSequence) else []


def numbers(ds: Dataset, keyword: str) -> list[float]:
    """Return the values as numbers; text becomes NaN, so that the others keep their places."""
    return [_number(found) for found in values(ds, keyword)]


def number(ds: Dataset, keyword: str) -> float | None:
    """Return a single finite number; None if the element holds none."""
    found = numbers(ds, keyword)
    return found[0] if len(found) == 1 and math.isfinite(found[0]) else None


def integer(ds: Dataset, keyword: str) -> int | None:
    """Return a single whole number; None if the element holds none."""
    found = number(ds, keyword)
    return int(found) if found is not None and found.is_integer() else None


def text(ds: Dataset, keyword: str) -> str:
    """Return the element as text, several values joined by a backslash as in the file."""
    return "\\".join(texts(ds, keyword)).strip("\\ ")


def texts(ds: Dataset, keyword: str) -> list[str]:
    """Return each value as text, without control characters; every space is a plain one."""
    return [_clean(found) for found in values(ds, keyword)]


def transfer_syntax(ds: Dataset) -> UID:
    """Return the transfer syntax that the file states."""
    return UID(text(ds.file_meta, "TransferSyntaxUID"), IGNORE)


def uid_name(uid: UID) -> str:
    """Return the name of a UID, or its digits if it has none.

    Text that is not a UID gives an empty name, because it may be patient data.
    """
    if str(uid) in _MORE_NAMES:
        return _MORE_NAMES[str(uid)]
    is_known = uid.name != str(uid)
    return uid.name if is_known or re.fullmatch(r"[0-9.]{1,64}", uid) else ""


def _number(found: Any) -> float:
    try:
        return float(found)
    except (OverflowError, TypeError, ValueError):
        return math.nan


def _clean(found: Any) -> str:
    if found is None or isinstance(found, bytes | Dataset | DicomSequence):
        return ""
    try:
        raw = str(found)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return ""
    printable = (raw if raw.isascii() and raw.isprintable() else _printable(raw)).strip()
    return printable if len(printable) <= _LONGEST_TEXT else ""


def _printable(raw: str) -> str:
    plain = "".join(" " if category(letter) == "Zs" else letter for letter in raw)
    return "".join(letter for letter in plain if letter.isprintable())
