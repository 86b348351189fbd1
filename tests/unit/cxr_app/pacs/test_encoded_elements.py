"""Encoded elements: the same bytes as pydicom writes, and few calls of it for a whole result."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from cxr_app.imaging.dicom import parse, softcopy_of
from cxr_app.pacs.encoded_elements import encoded, encoded_of, encoded_sequence, written
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.secondary_capture import secondary_capture
from cxr_app.pacs.structured_report import structured_report
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.results import INSTALLATION, file_of, scored_film

MOST_CALLS = 7_000
"""Calls of pydicom for report and picture of a film; element by element they are 9,500."""
TEXT = {
    "CS": "PatientSex",
    "DA": "StudyDate",
    "LO": "PatientID",
    "PN": "PatientName",
    "SH": "StudyID",
    "TM": "StudyTime",
    "UI": "StudyInstanceUID",
}
LETTERS = "Az09 .,:/^_+-=\\~\0\x1b\né"


def by_pydicom(keyword: str, value: object) -> bytes:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return written(DataElement(Tag(tag), dictionary_VR(keyword), value))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        *(("Modality", "OT"), ("Modality", "CT "), ("StudyInstanceUID", "1.2.3"), ("Rows", 1000)),
        *(("SeriesNumber", 9001), ("ContentDate", ""), ("ImageType", "DERIVED\\SECONDARY")),
        *(("ImageType", ["A", "B"]), ("StudyInstanceUID", None), ("DerivationDescription", "odd")),
        *(("PerformedProcedureCodeSequence", []), ("BodyPartExamined", "TÓRAX")),
    ],
)
def test_an_element_of_our_own_has_the_bytes_that_pydicom_writes(
    keyword: str, value: object
) -> None:
    with disable_value_validation():
        assert written(encoded(keyword, value)) == by_pydicom(keyword, value)


def test_a_sequence_has_the_bytes_that_pydicom_writes() -> None:
    item = Dataset()
    item.ReferencedSOPInstanceUID, item.ReferencedSOPClassUID = "1.2.3.4", "1.2.840"
    elements = [
        encoded("ReferencedSOPInstanceUID", "1.2.3.4"),
        encoded("ReferencedSOPClassUID", "1.2.840"),
    ]
    found = encoded_sequence("SourceImageSequence", elements, elements)
    assert written(found) == by_pydicom("SourceImageSequence", [item, item])


@pytest.mark.filterwarnings("ignore")  # pydicom finds some of the text odd
@given(
    vr=st.sampled_from(list(TEXT)),
    value=st.text(LETTERS, max_size=12) | st.text("Az09 ", max_size=6),
    terms=st.sampled_from([None, "", "ISO_IR 100", "ISO_IR 192", "ISO_IR 13"]),
    implicit=st.booleans(),
)
def test_an_element_of_a_film_is_written_as_after_it_was_read(
    vr: str, value: str, terms: str | None, implicit: bool
) -> None:
    data = value.encode("utf-8")
    data += b" " * (len(data) % 2)
    tag = Tag(TEXT[vr])
    raw = RawDataElement(tag, vr, len(data), data, 0, implicit, True)
    unread, read = Dataset({tag: raw}), Dataset({tag: raw})
    if terms:
        unread.SpecificCharacterSet = read.SpecificCharacterSet = terms
    with disable_value_validation():
        found = encoded_of(unread, tag, terms)
        assert written(found) == written(read[tag], terms or "iso8859")


def test_a_result_takes_few_calls_of_pydicom() -> None:
    data = dicom_bytes(radiograph_dataset())
    softcopy = softcopy_of(parse(data))

    def make(film: ScoredFilm) -> None:
        file_of(structured_report(film, INSTALLATION))
        file_of(secondary_capture(film, softcopy, INSTALLATION))

    make(scored_film(data))  # encodes what many films have in common
    film = scored_film(data)
    assert calls_of_pydicom(lambda: make(film)) < MOST_CALLS


def calls_of_pydicom(work: Callable[[], None]) -> int:
    """Return how many of pydicom's functions are called."""
    home = str(Path(pydicom.__file__).parent)
    found = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal found
        found += event == "call" and frame.f_code.co_filename.startswith(home)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found
