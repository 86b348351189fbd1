"""Windows, rescale, tables and shutters in functional groups; pixels and films that lie oddly."""

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from cxr_app.imaging.aspect import aspect_ratio, with_square_pixels
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.orientation import _TURNS
from cxr_app.radiograph import Image
from tests.support.factories import (
    Pixels,
    dicom_bytes,
    film_pixels,
    lut_item,
    radiograph_dataset,
    with_elements,
)


def image_of(**elements: Any) -> Image:
    return read_radiograph(dicom_bytes(radiograph_dataset(**elements))).image


def group(macro: str, **elements: Any) -> list[Dataset]:
    """Return a functional group with one macro."""
    return [with_elements(Dataset(), **{macro: [with_elements(Dataset(), **elements)]})]


FACTS: dict[str, dict[str, Any]] = {
    "FrameVOILUTSequence": {"WindowCenter": "1000", "WindowWidth": "1200"},
    "PixelValueTransformationSequence": {"RescaleSlope": "2", "RescaleIntercept": "-100"},
    "PixelMeasuresSequence": {"PixelSpacing": ["0.4", "0.2"]},
    "FrameDisplayShutterSequence": {
        "ShutterShape": "CIRCULAR",
        "CenterOfCircularShutter": ["80", "70"],
        "RadiusOfCircularShutter": "60",
    },
}


@pytest.mark.parametrize(
    "place", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
@pytest.mark.parametrize("macro", FACTS)
def test_what_groups_say_is_as_if_the_film_said_it(macro: str, place: str) -> None:
    window = {} if macro == "FrameVOILUTSequence" else {"window": (2000, 3000)}
    own = image_of(**FACTS[macro], **window)
    grouped = image_of(**{place: group(macro, **FACTS[macro])}, **window)
    assert own.shape == grouped.shape
    assert (own == grouped).all()
    plain = image_of(**window)
    assert own.shape != plain.shape or (own != plain).any()


def test_a_voi_lut_in_a_group_is_applied() -> None:
    item = lut_item(0, (np.arange(4096) // 2), 12)
    own = image_of(VOILUTSequence=[item])
    shared = group("FrameVOILUTSequence", VOILUTSequence=[item])
    assert (own == image_of(SharedFunctionalGroupsSequence=shared)).all()


def test_the_first_frame_counts_more_than_what_all_share_and_both_more_than_the_rest() -> None:
    wide = {"WindowCenter": "2000", "WindowWidth": "4000"}
    shared = group("FrameVOILUTSequence", **wide, VOILUTFunction="SIGMOID")
    frames = group("FrameVOILUTSequence", **FACTS["FrameVOILUTSequence"])
    frames += group("FrameVOILUTSequence", **wide)
    expected = image_of(**FACTS["FrameVOILUTSequence"])
    shown = image_of(
        window=(500, 600),
        VOILUTFunction="SIGMOID",
        SharedFunctionalGroupsSequence=shared,
        PerFrameFunctionalGroupsSequence=frames,
    )
    assert (shown == expected).all()


SQUARE = film_pixels(160, 144)


@pytest.mark.parametrize(
    ("elements", "pixels"),
    [
        ({"PixelSpacing": ["0.4", "0.2"]}, SQUARE[::2]),
        ({"ImagerPixelSpacing": ["0.4", "0.2"]}, SQUARE[::2]),
        ({"NominalScannedPixelSpacing": ["0.4", "0.2"]}, SQUARE[::2]),
        ({"PixelAspectRatio": ["2", "1"]}, SQUARE[::2]),
        ({"PixelAspectRatio": ["1", "2"]}, SQUARE[:, ::2]),
        ({"PixelSpacing": ["0.1", "0.3"]}, SQUARE[:, ::3]),
        ({"PixelSpacing": ["0.4", "0.2"], "PixelAspectRatio": ["1", "1"]}, SQUARE[::2]),
    ],
)
def test_a_film_has_the_proportions_of_the_body(elements: dict[str, Any], pixels: Pixels) -> None:
    data = dicom_bytes(radiograph_dataset(np.ascontiguousarray(pixels), **elements))
    radiograph = read_radiograph(data)
    assert (radiograph.rows, radiograph.columns) == radiograph.image.shape == (160, 144)
    assert any("not square" in remark for remark in radiograph.remarks)
    assert read_softcopy(data).values.shape == (160, 144)
    assert np.abs(radiograph.image - SQUARE / 4095).mean() < 0.04


@pytest.mark.parametrize(
    "elements",
    [
        {"PixelSpacing": ["0.143", "0.1431"]},
        {"PixelSpacing": ["0", "0.2"]},
        {"PixelAspectRatio": ["1", "1000"]},
        {"PixelAspectRatio": ["3"]},
        {"ImagerPixelSpacing": ["-1", "1"]},
    ],
)
def test_square_pixels_and_absurd_ones_are_left_alone(elements: dict[str, Any]) -> None:
    ds = radiograph_dataset()
    for keyword, value in elements.items():
        ds.add_new(keyword, "LO", value)
    assert aspect_ratio(ds) == 1.0
    softcopy = read_softcopy(dicom_bytes())
    assert with_square_pixels(softcopy, 1.0) is softcopy


def lying(ends: tuple[str, str]) -> Pixels:
    """Turn an upright film so that its rows and columns run to where `ends` says."""
    film = SQUARE
    if ends[0] in "HF":
        film = film[::-1] if ends[0] == "H" else film
        film = film[:, ::-1] if ends[1] == "R" else film
        return np.ascontiguousarray(film.T)
    film = film[:, ::-1] if ends[0] == "R" else film
    return np.ascontiguousarray(film[::-1] if ends[1] == "H" else film)


@pytest.mark.parametrize("ends", _TURNS)
def test_a_film_that_lies_by_its_header_is_turned(ends: tuple[str, str]) -> None:
    data = dicom_bytes(radiograph_dataset(lying(ends), PatientOrientation=list(ends)))
    radiograph = read_radiograph(data)
    assert np.abs(radiograph.image - SQUARE / 4095).max() < 1e-6
    assert any("it was turned" in remark for remark in radiograph.remarks)
    assert (radiograph.rows, radiograph.columns) == (160, 144)


@pytest.mark.parametrize("ends", [["L", "F"], ["A", "F"], ["P", "F"], ["L"], ["LF", "FR"], []])
def test_other_orientations_turn_nothing(ends: list[str]) -> None:
    assert np.abs(image_of(PatientOrientation=ends) - SQUARE / 4095).max() < 1e-6
