"""Grey values of films with lookup tables, compared with pydicom and the standard's formula."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.pixels import to_softcopy
from tests.support.factories import film_pixels, lut_item, radiograph_dataset
from tests.support.greyscale import LEVEL, as_shown_by_pydicom, image_of


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(0, 500),
    count=st.integers(2, 4096),
    bits=st.integers(10, 16),
    seed=st.integers(0, 999),
)
def test_voi_lut_shows_what_pydicom_shows(first: int, count: int, bits: int, seed: int) -> None:
    entries = np.random.default_rng(seed).integers(0, 2**bits, count)
    entries[-1] = 2**bits - 1  # else it would be taken for a table of fewer bits
    item = lut_item(first, entries, bits)
    ds = radiograph_dataset(film_pixels(24, 20), window=(100, 10), VOILUTSequence=[item])
    expected = as_shown_by_pydicom(ds, 0, 2**bits - 1)
    assert np.abs(image_of(ds) - expected).max() <= LEVEL / 2


@st.composite
def tables(draw: st.DrawFn) -> Dataset:
    """Generate any legal lookup table; its first input may be below 0."""
    bits = draw(st.integers(8, 16))
    entries = np.random.default_rng(draw(st.integers(0, 999)))
    first, count = draw(st.integers(-3000, 3000)), draw(st.integers(1, 5000))
    return lut_item(first, entries.integers(0, 2**bits, count), bits)


def looked_up(inputs: np.ndarray[Any, Any], table: Dataset) -> np.ndarray[Any, Any]:
    """Apply PS3.3 C.11.1.1 literally: inputs beyond the table take its nearest entry."""
    entries = np.atleast_1d(table.LUTData)
    return np.asarray(entries[np.clip(inputs - table.LUTDescriptor[1], 0, len(entries) - 1)])


@settings(max_examples=100, deadline=None)
@given(
    modality=st.none() | tables(),
    voi=st.none() | tables(),
    signed=st.booleans(),
    polarity=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    shape=st.sampled_from(["IDENTITY", "INVERSE"]),
)
def test_modality_lut_and_voi_lut_are_applied_in_turn(
    modality: Dataset | None, voi: Dataset | None, signed: bool, polarity: str, shape: str
) -> None:
    assume(modality is not None or voi is not None)
    pixels = film_pixels(24, 20)
    shown = pixels = pixels.astype(np.int16) - 2048 if signed else pixels
    elements: dict[str, Any] = {}
    for name, table in (("ModalityLUTSequence", modality), ("VOILUTSequence", voi)):
        if table is not None:
            elements[name] = [table]
            shown = looked_up(shown.astype(np.int64), table)
            highest = 2 ** table.LUTDescriptor[2] - 1
    ds = radiograph_dataset(
        pixels, photometric_interpretation=polarity, PresentationLUTShape=shape, **elements
    )
    expected = shown / highest
    inverted = polarity == "MONOCHROME1" or shape == "INVERSE"
    difference = np.abs(image_of(ds) - (1 - expected if inverted else expected))
    assert difference.max() <= LEVEL / 2


def test_voi_lut_of_8_bits_may_have_more_than_256_inputs() -> None:
    ds = radiograph_dataset(VOILUTSequence=[lut_item(0, np.arange(4096) // 16, 8)])
    assert np.abs(image_of(ds) - film_pixels() // 16 / 255).max() < 1e-3


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_modality_lut_comes_before_the_window(bits: int) -> None:
    entries = np.linspace(2**bits - 1, 0, 4096).astype(int)
    ds = radiograph_dataset(
        window=(2**bits / 2, 2**bits), ModalityLUTSequence=[lut_item(0, entries, bits)]
    )
    expected = 1 - film_pixels() / 4095
    assert np.abs(image_of(ds) - expected).max() <= 1.5 * max(LEVEL / 2, 1 / (2**bits - 1))


def test_damaged_modality_lut_is_refused() -> None:
    item = lut_item(0, np.arange(10), 12)
    item.LUTDescriptor = [4096, 0, 12]
    ds = radiograph_dataset(ModalityLUTSequence=[item])
    with pytest.raises(PixelDataError, match="lookup table of the file is shorter"):
        image_of(ds)


def test_window_replaces_a_damaged_voi_lut_with_a_remark() -> None:
    ds = radiograph_dataset(
        window=(2048, 4096),
        VOILUTSequence=[lut_item(0, np.arange(10), 12, LUTDescriptor=[5, 0, 3])],
    )
    softcopy = to_softcopy(film_pixels(), ds)
    assert softcopy.windows[0].window_center == 2048
    assert any("VOI LUT" in remark for remark in softcopy.remarks)
