"""Lookup tables and windows that are odd, but say what is meant; and those that say nothing."""

from typing import Any

import numpy as np
import pytest

from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.radiograph import Radiograph
from tests.support.factories import dicom_bytes, film_pixels, lut_item, radiograph_dataset

PLAIN = film_pixels() / 4095
IMPLICIT = "1.2.840.10008.1.2"
RAMP = np.arange(4096)


def film(syntax: str = "", **elements: Any) -> Radiograph:
    ds = radiograph_dataset(**elements)
    return read_radiograph(dicom_bytes(ds, syntax) if syntax else dicom_bytes(ds))


def test_a_voi_lut_may_begin_below_zero_behind_an_unsigned_film() -> None:
    item = lut_item(0, RAMP, 12)
    item.LUTDescriptor = [4096, 65_536 - 2048, 12]
    item["LUTDescriptor"].VR = "US"
    rescale = {"RescaleSlope": "1", "RescaleIntercept": "-2048"}
    for syntax in ("", IMPLICIT):
        image = film(syntax, VOILUTSequence=[item], **rescale).image
        assert np.abs(image - PLAIN).max() < 1e-3
    image = film(VOILUTSequence=[lut_item(-2048, RAMP, 12)], **rescale).image
    assert np.abs(image - PLAIN).max() < 1e-3


def test_a_modality_lut_may_begin_below_zero_behind_a_signed_film() -> None:
    pixels = film_pixels().astype(np.int16) - 2048
    item = lut_item(0, RAMP, 12)
    item.LUTDescriptor = [4096, 65_536 - 2048, 12]
    item["LUTDescriptor"].VR = "US"
    assert np.abs(film(pixels=pixels, ModalityLUTSequence=[item]).image - PLAIN).max() < 1e-6


def test_a_table_that_begins_high_behind_positive_values_stays_there() -> None:
    pixels = film_pixels() + np.uint16(40_000)
    item = lut_item(0, RAMP, 12)
    item.LUTDescriptor = [4096, 40_000, 12]
    image = film(pixels=pixels, bits_stored=16, VOILUTSequence=[item]).image
    assert np.abs(image - PLAIN).max() < 1e-3


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("used", [8, 10, 12, 14, 15])
def test_entries_of_fewer_bits_than_claimed_reach_white(sequence: str, used: int) -> None:
    entries = np.rint(np.linspace(0, 2**used - 1, 4096)).astype(np.int64)
    elements: dict[str, Any] = {sequence: [lut_item(0, entries, 16)]}
    image = film(**elements).image
    assert np.abs(image - PLAIN).max() < 1.01 / 2**used + 1e-3


@pytest.mark.parametrize("sop_class", ["12.1", "12.1.1", "12.2", "12.2.1", "12.3"])
@pytest.mark.parametrize(
    "elements",
    [
        {"ModalityLUTSequence": [lut_item(0, RAMP[::-1], 12)]},
        {"RescaleSlope": "-1", "RescaleIntercept": "4095"},
    ],
)
def test_xa_and_xrf_images_have_no_modality_lut(sop_class: str, elements: dict[str, Any]) -> None:
    uid = f"1.2.840.10008.5.1.4.1.1.{sop_class}"
    assert np.abs(film(SOPClassUID=uid, Modality="RF", **elements).image - PLAIN).max() < 1e-6
    assert np.abs(film(**elements).image - (1 - PLAIN)).max() < 1e-6


def test_an_empty_modality_lut_is_left_out_with_a_remark() -> None:
    item = lut_item(0, RAMP, 12, LUTDescriptor=None, LUTData=None)
    radiograph = film(ModalityLUTSequence=[item])
    assert np.abs(radiograph.image - PLAIN).max() < 1e-6
    assert radiograph.remarks == ("The Modality LUT of the file is empty and was ignored.",)


@pytest.mark.parametrize(
    "elements",
    [
        {"window": (-9000, 100)},
        {"window": (60_000, 100)},
        {"window": (60_000, 100), "VOILUTFunction": "SIGMOID"},
        {"window": (60_000, 100), "VOILUTFunction": "LINEAR_EXACT"},
        {"window": (100, 50), "RescaleSlope": "1", "RescaleIntercept": "5000"},
    ],
)
def test_a_window_in_which_no_pixel_lies_is_left_out_with_a_remark(
    elements: dict[str, Any],
) -> None:
    radiograph = film(**elements)
    assert np.abs(radiograph.image - PLAIN).max() < 1e-3
    assert any("No pixel lies in a window" in remark for remark in radiograph.remarks)


def test_the_next_window_counts_if_no_pixel_lies_in_the_first() -> None:
    ds = radiograph_dataset(WindowCenter=["60000", "1000"], WindowWidth=["10", "500"])
    softcopy = read_softcopy(dicom_bytes(ds))
    assert (softcopy.windows[0].window_center, softcopy.windows[0].window_width) == (1000, 500)


@pytest.mark.parametrize(("bits", "remarked"), [(16, False), (15, True), (14, False), (12, False)])
def test_a_film_that_leaves_one_bit_unused_is_remarked_on(bits: int, remarked: bool) -> None:
    radiograph = film(pixels=film_pixels(bits=bits), bits_stored=16)
    assert any("too dark" in remark for remark in radiograph.remarks) is remarked
    windowed = film(pixels=film_pixels(bits=bits), bits_stored=16, window=(2**14, 2**15))
    assert not any("too dark" in remark for remark in windowed.remarks)


def test_monochrome1_that_claims_identity_is_remarked_on() -> None:
    inverted = {"photometric_interpretation": "MONOCHROME1"}
    radiograph = film(PresentationLUTShape="IDENTITY", **inverted)
    assert np.abs(radiograph.image - (1 - PLAIN)).max() < 1e-6
    assert any("contradicts itself" in remark for remark in radiograph.remarks)
    assert film(PresentationLUTShape="INVERSE", **inverted).remarks == ()
    assert film(PresentationLUTShape="IDENTITY").remarks == ()
