"""A tree of content that is encoded once, with blanks that each report fills in.

pydicom takes 5 ms to write the 500 elements of a report, and highdicom as long to build them; from
one film to the next a dozen values differ.

References
----------
DICOM PS3.5 7.5 (sequences of undefined length).
"""

import re
from collections.abc import Iterator, Sequence

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from cxr_app.pacs.encoded_elements import Element, written

KeywordValue = tuple[str, object]
"""Keyword and value of an element."""

_HEADER = 12
"""Bytes before the value of a sequence: tag, VR, two reserved, length."""


class EncodedTree:
    """A tree in Explicit VR Little Endian, all text in ASCII.

    Parameters
    ----------
    tree
        With stand-ins where reports differ. Its sequences get undefined lengths, so that a longer
        value changes no other byte.
    stand_ins
        The elements to replace, wherever they are below the root; all different.

    Raises
    ------
    ValueError
        If a stand-in is not in the tree.
    """

    def __init__(self, tree: Dataset, stand_ins: Sequence[KeywordValue]) -> None:
        _leave_lengths_open(tree)
        self._stand_ins = [_encoded(*each) for each in stand_ins]
        self._pattern = re.compile(b"|".join(map(re.escape, self._stand_ins)))
        self._elements = list(map(_raw, tree))
        whole = b"".join(each.value for each in self._elements if isinstance(each.value, bytes))
        if not all(each in whole for each in self._stand_ins):
            raise ValueError("a stand-in is not in the tree")

    def filled(self, values: Sequence[KeywordValue]) -> Iterator[Element]:
        """Yield the elements of the root, with values in place of the stand-ins.

        Parameters
        ----------
        values
            In the order of the stand-ins, each with the same keyword.
        """
        found = dict(zip(self._stand_ins, (_encoded(*each) for each in values), strict=True))
        for element in self._elements:
            if isinstance(element, RawDataElement) and element.value is not None:
                value = self._pattern.sub(lambda match: found[match.group()], element.value)
                yield element._replace(value=value, length=len(value))
            else:
                yield element


def _leave_lengths_open(ds: Dataset) -> None:
    """Let all sequences and items below a dataset be written with undefined lengths."""
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                for inner in item:
                    inner.is_undefined_length = inner.VR == "SQ"
                _leave_lengths_open(item)


def _raw(element: DataElement) -> Element:
    """Return a sequence as its bytes, which pydicom parses only if somebody looks."""
    if element.VR != "SQ":
        return element
    value = written(element)[_HEADER:]
    return RawDataElement(element.tag, "SQ", len(value), value, 0, False, True)


def _encoded(keyword: str, value: object) -> bytes:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"unknown keyword {keyword}")
    return written(DataElement(Tag(tag), dictionary_VR(keyword), value))
