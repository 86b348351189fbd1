"""Elements of a result as bytes, which pydicom writes as they are.

To make an element and to encode it takes pydicom 50 us, and an object of a result has fifty.

References
----------
DICOM PS3.5 7.1.2 (explicit VR), 7.5 (sequences), 6.2 (padding).
"""

import re
from collections.abc import Iterable
from functools import cache

from pydicom import DataElement, Dataset
from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

Element = DataElement | RawDataElement

_ITEM = b"\xfe\xff\x00\xe0"
_PLAIN = re.compile(rb"([A-Za-z0-9]([A-Za-z0-9 .,:/^_+-]*[A-Za-z0-9])? ?)?")
"""Text that comes out of pydicom as it went in: no mark or space that it would take away."""
_PLAIN_TEXT = ("CS", "DA", "LO", "PN", "SH", "TM")
_WITH_ASCII = (None, "", "ISO_IR 6", "ISO_IR 100", "ISO_IR 192")
"""(0008,0005) *Specific Character Set* in which plain text is ASCII, whatever precedes it."""
_AS_TEXT = ("CS", "DA", "IS", "LO", "SH", "ST", "TM", "UI")


def encoded(keyword: str, value: object) -> RawDataElement:
    """Encode an element of our own in Explicit VR Little Endian; its text is in ASCII."""
    tag, vr = _place(keyword)
    if vr == "US" and isinstance(value, int):
        return _raw(tag, vr, value.to_bytes(2, "little"))
    if vr in _AS_TEXT and isinstance(value, str | int) and (words := str(value)).isascii():
        padding = b"\0" if vr == "UI" else b" "
        return _raw(tag, vr, words.encode() + padding * (len(words) % 2))
    return _as_raw(DataElement(tag, vr, value), default_encoding)


def encoded_of(ds: Dataset, tag: BaseTag, terms: str | list[str] | None) -> Element:
    """Encode an element of a film's; a sequence, whose length may be undefined, stays one.

    Parameters
    ----------
    terms
        (0008,0005) *Specific Character Set* of the result.
    """
    unread = ds.get_item(tag)
    if isinstance(unread, RawDataElement) and _is_plain(unread) and terms in _WITH_ASCII:
        return unread
    element = ds[tag]
    return element if element.VR == "SQ" else _as_raw(element, terms or default_encoding)


def encoded_sequence(keyword: str, *items: Iterable[RawDataElement]) -> RawDataElement:
    """Encode a sequence of items, whose elements may come in any order."""
    tag, vr = _place(keyword)
    return _raw(tag, vr, b"".join(map(_item, items)))


def written(element: Element, encodings: str | list[str] = default_encoding) -> bytes:
    """Return an element as it is written in Explicit VR Little Endian."""
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = False, True
    write_data_element(file, element, encodings)
    return file.getvalue()


@cache
def _place(keyword: str) -> tuple[BaseTag, str]:
    """Return the tag and VR of a keyword."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"unknown keyword {keyword}")
    return Tag(tag), dictionary_VR(tag)


def _is_plain(element: RawDataElement) -> bool:
    """Return whether an element is as pydicom would write it after reading it."""
    if element.is_implicit_VR or not element.is_little_endian or element.VR not in _PLAIN_TEXT:
        return False
    value = element.value
    return value is not None and len(value) % 2 == 0 and _PLAIN.fullmatch(value) is not None


def _raw(tag: BaseTag, vr: str, value: bytes) -> RawDataElement:
    return RawDataElement(tag, vr, len(value), value, 0, False, True)


def _as_raw(element: DataElement, encodings: str | list[str]) -> RawDataElement:
    whole = written(element, encodings)
    vr = whole[4:6].decode()
    return _raw(element.tag, vr, whole[12 if vr in EXPLICIT_VR_LENGTH_32 else 8 :])


def _item(elements: Iterable[RawDataElement]) -> bytes:
    content = b"".join(map(_bytes, sorted(elements, key=lambda each: each.tag)))
    return _ITEM + len(content).to_bytes(4, "little") + content


def _bytes(element: RawDataElement) -> bytes:
    value = element.value or b""
    vr = (element.VR or "").encode()
    place = element.tag.group.to_bytes(2, "little") + element.tag.element.to_bytes(2, "little")
    if element.VR in EXPLICIT_VR_LENGTH_32:
        return place + vr + bytes(2) + len(value).to_bytes(4, "little") + value
    return place + vr + len(value).to_bytes(2, "little") + value
