"""Odd values of a header, odd windows, and colour: shown, left out with a remark, or refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.intake import read_softcopy
from cxr_app.imaging.pixels import to_image, to_softcopy
from cxr_app.radiograph import Softcopy, Values, VOILUTFunction, Window
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.greyscale import LEVEL, image_of


def test_windows_of_the_file_come_before_presets() -> None:
    ds = radiograph_dataset(
        WindowCenter=["2000", "1000", "5", "1e300"],
        WindowWidth=["3000", "1500", "0", "1"],
        WindowCenterWidthExplanation=["NORMAL", "SOFTER"],
    )
    softcopy = read_softcopy(dicom_bytes(ds))
    names = [window.name for window in softcopy.windows]
    assert names[:3] == ["NORMAL", "SOFTER", "Full range"]
    assert all("this film" in name.lower() for name in names[3:])
    assert any("no legal centre and width" in remark for remark in softcopy.remarks)


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_lung_window_spreads_the_dark_half(polarity: str) -> None:
    ds = radiograph_dataset(photometric_interpretation=polarity)
    softcopy = read_softcopy(dicom_bytes(ds))
    lung = next(window for window in softcopy.windows if window.name.startswith("Lung"))
    usual, shown = to_image(softcopy), to_image(softcopy, lung)
    dark = usual < 0.4
    assert np.ptp(shown[dark]) > 1.5 * np.ptp(usual[dark])
    assert shown[usual > 0.6].min() > 0.99


@pytest.mark.parametrize("function", list(VOILUTFunction))
def test_any_window_can_be_applied_to_any_film(function: VOILUTFunction) -> None:
    values: Values = np.arange(100, dtype=np.uint16).reshape(10, 10)
    window = Window("narrow", 50, 1, function)
    softcopy = Softcopy(values, 0, 1, (window,))
    assert set(np.round(to_image(softcopy)[[0, -1], [0, -1]])) == {0, 1}


def test_colour_becomes_its_luminance() -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[0], rgb[1], rgb[2], rgb[3] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)
    softcopy = to_softcopy(rgb, radiograph_dataset(rgb, photometric_interpretation="RGB"))
    assert np.allclose(to_image(softcopy)[:, 0], [0.299, 0.587, 0.114, 90 / 255], atol=LEVEL / 2)
    assert softcopy.colour_fraction == 0.75


@pytest.mark.parametrize("rescale", [("1", ""), ("0", "5"), ("1e300", "0")])
def test_meaningless_rescale_is_ignored_with_a_remark(rescale: tuple[str, str]) -> None:
    ds = radiograph_dataset()
    ds.RescaleSlope, ds.RescaleIntercept = rescale
    softcopy = to_softcopy(film_pixels(), ds)
    assert (softcopy.origin, softcopy.step) == (0, 1)
    assert any("rescale" in remark for remark in softcopy.remarks)


def test_unknown_window_function_is_linear_with_a_remark() -> None:
    ds = radiograph_dataset(window=(2000, 3000), VOILUTFunction="CUBIC")
    softcopy = to_softcopy(film_pixels(), ds)
    assert softcopy.windows[0].function is VOILUTFunction.LINEAR
    assert any("VOI LUT Function" in remark for remark in softcopy.remarks)


def test_padding_written_with_the_wrong_sign_is_still_padding() -> None:
    pixels = film_pixels().astype(np.int16)
    pixels[:20] = -2000
    ds = radiograph_dataset(pixels, bits_stored=16)
    ds.add_new("PixelPaddingValue", "US", 65_536 - 2000)
    assert np.abs(image_of(ds)[20:] - film_pixels()[20:] / 4095).max() < 1e-5


def test_film_of_only_padding_is_shown_as_it_is() -> None:
    ds = radiograph_dataset(np.full((9, 9), 3000, np.uint16), PixelPaddingValue=3000)
    assert np.allclose(image_of(ds), 3000 / 4095)


def test_pixels_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(PixelDataError, match="no numbers"):
        to_softcopy(np.full((3, 4), np.nan, np.float32), radiograph_dataset())


def test_film_of_a_single_value_is_shown() -> None:
    image = to_image(to_softcopy(np.full((3, 4), 2.5, np.float32), radiograph_dataset()))
    assert np.ptp(image) == 0


PEAK = """
import resource
from cxr_app.imaging.intake import read_softcopy
from tests.support.factories import dicom_bytes, radiograph_dataset
import numpy as np

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

data = dicom_bytes(radiograph_dataset({pixels}, photometric_interpretation="{polarity}"))
before = peak()
read_softcopy(data)
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("pixels", "polarity"),
    [
        ("np.zeros((3000, 3000, 3), np.uint8)", "RGB"),
        ("np.arange(9_000_000, dtype=np.uint32).reshape(3000, 3000)", "MONOCHROME2"),
    ],
)
def test_rendering_makes_few_copies_in_double_precision(pixels: str, polarity: str) -> None:
    """The limits are in MB for 9 million pixels; the largest film has seven times as many."""
    script = PEAK.format(pixels=pixels, polarity=polarity)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).resolve().parents[4],
        capture_output=True,
        check=True,
    )
    assert float(ended.stdout) < 180


def test_palette_is_shown_by_its_brightness() -> None:
    image = image_of(palette_film())
    assert np.abs(image - film_pixels(bits=8) / 255).max() <= LEVEL


def test_damaged_palette_is_refused() -> None:
    ds = palette_film()
    ds.GreenPaletteColorLookupTableData = b"\0\0"
    with pytest.raises(PixelDataError, match="palette is damaged"):
        image_of(ds)


def palette_film() -> Dataset:
    ds = radiograph_dataset(film_pixels(bits=8), photometric_interpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(ds, f"{colour}PaletteColorLookupTableData", bytes(range(256)))
    return ds


def test_colour_of_32_bits_is_reduced_to_16() -> None:
    rgb = np.repeat(film_pixels(bits=16).astype(np.uint32)[..., None], 3, axis=2) * 65_537
    softcopy = to_softcopy(rgb, radiograph_dataset(photometric_interpretation="RGB"))
    assert np.abs(to_image(softcopy) - film_pixels(bits=16) / 65_535).max() < 1e-4
