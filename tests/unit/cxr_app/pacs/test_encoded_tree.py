"""A report's encoded tree: what it says is what highdicom's templates say, whatever the film."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.uid import ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation

from cxr_app.destination import ResultKind
from cxr_app.lung_fields import LUNGS, THIRDS, Extent
from cxr_app.pacs.encoded_tree import EncodedTree
from cxr_app.pacs.structured_report import report_tree
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.results import INSTALLATION, file_of, result_object, scored_film, written

ZONES = [f"{side} {third}" for side in LUNGS for third in THIRDS]
SHARES = st.floats(0, 1) | st.sampled_from([0.0, 0.0004, 0.5, 1.0])


@st.composite
def results(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a film's result; its numbers may be equal to each other."""
    zones = draw(st.dictionaries(st.sampled_from(ZONES), SHARES))
    return {
        "flagged": draw(st.booleans()),
        "pneumonia_probability": draw(SHARES),
        "threshold": draw(SHARES),
        "sha256": draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
        "model_version": draw(st.sampled_from(["a-1", "Lunge №1"])),
        "extent": draw(
            st.none() | st.builds(Extent, st.just(zones), st.just({}), st.integers(0, 8))
        ),
    }


@given(
    result=results(),
    uid=st.from_regex(r"1\.2\.[1-9][0-9]{0,40}", fullmatch=True),
    sop_class=st.sampled_from(
        [ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation]
    ),
)
def test_a_report_says_what_the_templates_say(
    result: dict[str, Any], uid: str, sop_class: str
) -> None:
    data = dicom_bytes(radiograph_dataset(SOPInstanceUID=uid, SOPClassUID=sop_class))
    report = written(result_object(ResultKind.REPORT, data, **result))
    for element in report_tree(scored_film(data, **result), INSTALLATION):
        assert report[element.tag] == element


def test_a_report_is_written_as_it_is_read() -> None:
    report = result_object(ResultKind.REPORT, dicom_bytes())
    again = written(report)
    assert len(report.ContentSequence) == len(again.ContentSequence)
    assert file_of(again) == file_of(report)


@pytest.mark.parametrize("terms", [None, "ISO_IR 192", ["", "ISO 2022 IR 87"]], ids=str)
def test_writing_a_report_parses_nothing(terms: Any) -> None:
    data = dicom_bytes(radiograph_dataset(SpecificCharacterSet=terms))
    report = result_object(ResultKind.REPORT, data)
    file_of(report)
    assert isinstance(report.get_item("ContentSequence"), RawDataElement)


def test_a_stand_in_that_is_nowhere_is_refused() -> None:
    tree = Dataset()
    tree.ContentSequence = [Dataset()]
    with pytest.raises(ValueError, match="stand-in"):
        EncodedTree(tree, [("UID", "2.25.1")])
