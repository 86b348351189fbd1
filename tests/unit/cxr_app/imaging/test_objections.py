"""What a header says against scoring its film."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from cxr_app.destination import ResultKind
from cxr_app.imaging.intake import read_radiograph
from cxr_app.imaging.objections import FOR_PROCESSING, OWN_RESULT
from cxr_app.model.screening import screen
from cxr_app.view_words import LATERAL, OBLIQUE, stated_view
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset, with_elements
from tests.support.results import result_object

DX_RAW = "1.2.840.10008.5.1.4.1.1.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def refusal(**elements: Any) -> str | None:
    return screen(read_radiograph(dicom_bytes(radiograph_dataset(**elements))))


@pytest.mark.parametrize(
    ("elements", "refused"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, True),
        ({"PresentationIntentType": "FOR PROCESSING", "SOPClassUID": DX}, True),
        ({"SOPClassUID": DX_RAW}, True),
        ({"PresentationIntentType": "FOR PRESENTATION", "SOPClassUID": DX}, False),
        ({"SOPClassUID": DX}, False),
    ],
)
def test_raw_values_of_a_detector_are_refused(elements: dict[str, Any], refused: bool) -> None:
    found = refusal(Modality="DX", **elements)
    assert found == (f"The film was not scored: {FOR_PROCESSING}" if refused else None)


@pytest.mark.parametrize("evidence", [-3.0, 0.1, 3.0])
def test_own_pictures_are_refused_however_little_colour_they_have(evidence: float) -> None:
    """A faint heat is no colour picture, and would be scored as a film."""
    film = dicom_bytes(radiograph_dataset(film_pixels(640, 512)))
    cells = np.full((14, 14), evidence, np.float32)
    buffer = BytesIO()
    picture = result_object(ResultKind.PICTURE, film, activation_map=cells)
    picture.save_as(buffer, enforce_file_format=True)
    radiograph = read_radiograph(buffer.getvalue())
    assert radiograph.objection == OWN_RESULT
    assert screen(radiograph) is not None


def code(value: str, scheme: str, meaning: str = "?") -> list[Dataset]:
    names = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    return [with_elements(Dataset(), **dict(zip(names, (value, scheme, meaning), strict=True)))]


@pytest.mark.parametrize(
    ("sequence", "view"),
    [
        (code("399173006", "SCT"), "lateral"),
        (code("399198007", "SCT"), "lateral"),
        (code("399067008", "SCT"), "lateral"),
        (code("R-10236", "SRT"), "lateral"),
        (code("R-10232", "SNM3"), "lateral"),
        (code("X1", "99LOCAL", "Chest left lateral"), "lateral"),
        (code("399135007", "SCT"), "oblique"),
        (code("X2", "99LOCAL", "left anterior oblique"), "oblique"),
        (code("272479007", "SCT", "postero-anterior"), ""),
        (code("399348003", "SCT", "antero-posterior"), ""),
        (code("X3", "99LOCAL", "left lateral decubitus"), ""),
    ],
)
def test_a_lateral_view_code_is_recognised(sequence: list[Dataset], view: str) -> None:
    found = refusal(ViewPosition=None, ViewCodeSequence=sequence) or ""
    assert (view in found) if view else not found


@pytest.mark.parametrize(
    ("words", "view"),
    [
        ("CHEST LAT", "lateral"),
        ("CHEST,LATERAL", "lateral"),
        ("THORAX LAT.", "lateral"),
        ("CHEST,FRN", ""),
        ("CHEST PA", ""),
        ("CHEST PA/LAT", ""),
    ],
)
def test_a_lateral_is_recognised_by_the_description_of_a_cr_reader(words: str, view: str) -> None:
    found = refusal(AcquisitionDeviceProcessingDescription=words) or ""
    assert (view in found) if view else not found


@pytest.mark.parametrize(
    ("words", "view"),
    [
        *((words, LATERAL) for words in ("LL", "RL", "LAT", "Lateral", "LEFT LATERAL", "LAT R")),
        *((words, LATERAL) for words in ("L LAT", "LATERAL_LEFT", "LLAT", "X-TABLE LATERAL")),
        *((words, OBLIQUE) for words in ("RAO", "LPO", "OBLIQUE", "left oblique", "Oblique LAT")),
        *(
            (words, "")
            for words in ("", "AP", "PA", "LLD", "RLD", "LATERAL DECUBITUS", "PA AND LAT")
        ),
        *((words, "") for words in ("LORDOTIC", "SUPINE", "AP PORTABLE", "FLAT")),
    ],
)
def test_words_of_a_view_position(words: str, view: str) -> None:
    assert stated_view(words) == view
