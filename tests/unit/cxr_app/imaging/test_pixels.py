"""Grey values by the standard, compared with pydicom's own functions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.pixels import full_range, to_grey_levels, to_image, to_softcopy
from tests.support.factories import Pixels, dicom_bytes, film_pixels, radiograph_dataset
from tests.support.greyscale import LEVEL, as_shown_by_pydicom, image_of


@st.composite
def legal_films(draw: st.DrawFn) -> Dataset:
    """Generate any legal combination of the elements that affect grey values, on any pixels."""
    dtype = np.dtype(draw(st.sampled_from(["u1", "u2", "i1", "i2", "u4", "i4"])))
    allocated = dtype.itemsize * 8
    stored = draw(st.integers(2, allocated))
    high_bit = draw(st.integers(stored - 1, allocated - 1))
    seed = draw(st.integers(0, 2**32 - 1))
    bounds = np.iinfo(dtype.name)
    pixels = np.random.default_rng(seed).integers(
        bounds.min, bounds.max, (9, 7), dtype=dtype, endpoint=True
    )
    elements: dict[str, Any] = {}
    if draw(st.booleans()):
        elements["RescaleSlope"] = str(draw(st.sampled_from([1, -1, 0.684, 2.5, -0.01, 1e-5])))
        elements["RescaleIntercept"] = str(draw(st.integers(-70_000, 70_000)))
    if draw(st.booleans()):
        elements["VOILUTFunction"] = draw(st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
    if allocated < 32 and draw(st.booleans()):
        elements["PixelPaddingValue"] = int(pixels[0, 0])
    if draw(st.booleans()):
        elements["PresentationLUTShape"] = draw(st.sampled_from(["IDENTITY", "INVERSE"]))
    centre = draw(st.integers(-70_000, 70_000))
    window = draw(st.none() | st.tuples(st.just(centre), st.integers(1, 70_000)))
    polarity = draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"]))
    return radiograph_dataset(
        pixels,
        photometric_interpretation=polarity,
        bits_stored=stored,
        high_bit=high_bit,
        window=window,
        **elements,
    )


@settings(max_examples=150, deadline=None)
@given(ds=legal_films())
def test_any_legal_film_is_finite_and_within_black_and_white(ds: Dataset) -> None:
    image = image_of(ds)
    assert image.dtype == np.float32
    assert image.shape == (9, 7)
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


@settings(max_examples=150, deadline=None)
@given(ds=legal_films())
def test_any_legal_film_has_the_grey_levels_of_its_image(ds: Dataset) -> None:
    softcopy = read_softcopy(dicom_bytes(ds))
    levels = to_grey_levels(softcopy).astype(float)
    assert np.abs(levels - to_image(softcopy) * 255).max() <= 0.5 + 1e-4


def stored_values(ds: Dataset) -> np.ndarray[Any, Any]:
    """Extract the bits of each value by PS3.5 8.1.1: High Bit is the highest, and the sign."""
    words = np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}")[: ds.Rows * ds.Columns]
    values = (words.astype(np.int64) >> (ds.HighBit + 1 - ds.BitsStored)) % 2**ds.BitsStored
    if ds.PixelRepresentation == 1:
        values = np.where(values >= 2 ** (ds.BitsStored - 1), values - 2**ds.BitsStored, values)
    return np.asarray(values.reshape(ds.Rows, ds.Columns))


def window_by_the_standard(
    x: np.ndarray[Any, Any], centre: float, width: float, function: str
) -> np.ndarray[Any, Any]:
    """Apply PS3.3 C.11.2.1.2.1 and C.11.2.1.3 literally, for an output of 0 to 1."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-4 * (x - centre) / width)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    inside = (x - centre) / max(width, 1e-9) + 0.5
    ends = [x <= centre - width / 2, x > centre + width / 2]
    return np.select(ends, [0.0, 1.0], inside)


def shown_by_the_standard(ds: Dataset) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Render a film step by step; also return the pixels that depend on rounding."""
    stored = stored_values(ds)
    padded = stored == ds.get("PixelPaddingValue", None)
    film = stored if padded.all() else stored[~padded]
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    x = slope * stored + intercept
    function = ds.get("VOILUTFunction", "LINEAR")
    has_window = "WindowCenter" in ds
    if has_window:
        centre, width = float(ds.WindowCenter), float(ds.WindowWidth)
        reach = width if function == "SIGMOID" else width / 2
        seen = slope * film + intercept
        has_window = seen.min() == seen.max() or (
            seen.min() < centre + reach and seen.max() > centre - reach
        )
    if not has_window:  # or no pixel lies in it
        signed = ds.PixelRepresentation == 1
        ends = full_range(int(film.min()), int(film.max()), ds.BitsStored, signed=signed)
        low, high = sorted(slope * end + intercept for end in ends)
        centre, width, function = (low + high) / 2, high - low, "LINEAR_EXACT"
    shown = window_by_the_standard(x, centre, width, function)
    if ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
        shown = 1 - shown
    if not padded.all():
        shown[padded] = shown[~padded].min()
    edge = np.abs(np.abs(x - centre + 0.5 * (function == "LINEAR")) - width / 2)
    return shown, (width < 3) & (edge < 1.0)


@settings(max_examples=300, deadline=None)
@given(ds=legal_films().filter(lambda ds: ds.BitsAllocated < 32))
def test_any_legal_film_is_shown_as_the_standard_says(ds: Dataset) -> None:
    expected, undecided = shown_by_the_standard(ds)
    difference = np.abs(image_of(ds) - expected)
    assert difference[~undecided].max(initial=0.0) <= LEVEL / 2


@settings(max_examples=80, deadline=None)
@example(shape=(1, 1, 1, 3), planar=False, stored=("RGB", 16), seed=112)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.just(3)),
    planar=st.booleans(),
    stored=st.sampled_from([("RGB", 8), ("RGB", 16), ("YBR_FULL", 8)]),
    seed=st.integers(0, 999),
)
def test_any_legal_colour_film_is_shown_by_the_luminance_of_its_first_frame(
    shape: tuple[int, ...], planar: bool, stored: tuple[str, int], seed: int
) -> None:
    interpretation, bits = stored
    dtype = np.uint8 if bits == 8 else np.uint16
    rgb = np.random.default_rng(seed).integers(0, 2**bits, shape)
    luminance = rgb @ [0.299, 0.587, 0.114]
    pixels = rgb
    if interpretation == "YBR_FULL":  # PS3.3 C.7.6.3.1.2
        blue, red = (rgb[..., 2] - luminance) / 1.772, (rgb[..., 0] - luminance) / 1.402
        pixels = np.rint(np.stack([luminance, blue + 128, red + 128], axis=-1)).clip(0, 255)
    ds = radiograph_dataset(
        pixels[0].astype(dtype),
        photometric_interpretation=interpretation,
        bits_stored=bits,
        NumberOfFrames=shape[0],
        PlanarConfiguration=int(planar),
    )
    ordered = np.moveaxis(pixels, 3, 1) if planar else pixels
    data = ordered.astype(dtype).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    radiograph = read_radiograph(dicom_bytes(ds))
    used = max(8, int(np.rint(luminance[0].max())).bit_length())
    shown_bits = used if used <= bits - 2 else bits  # as `full_range` says of unused high bits
    difference = np.abs(radiograph.image - luminance[0] / (2**shown_bits - 1))
    rounded = 2 * LEVEL if interpretation == "YBR_FULL" else 0.6 / (2**shown_bits - 1)
    assert difference.max() <= rounded
    assert any("frames" in remark for remark in radiograph.remarks) == (shape[0] > 1)


@settings(max_examples=60, deadline=None)
@given(
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    centre=st.integers(-500, 5_000),
    width=st.integers(1, 6_000),
    rescale=st.sampled_from([None, (1, 0), (0.684, 200), (2, -1024)]),
    polarity=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    signed=st.booleans(),
)
def test_window_shows_what_pydicom_shows(
    function: str,
    centre: int,
    width: int,
    rescale: tuple[float, float] | None,
    polarity: str,
    signed: bool,
) -> None:
    pixels = film_pixels(24, 20)
    pixels = pixels.astype(np.int16) - 2048 if signed else pixels
    ds = radiograph_dataset(
        pixels, photometric_interpretation=polarity, window=(centre, width), VOILUTFunction=function
    )
    low, high = (-2048, 2047) if signed else (0, 4095)
    slope, intercept = rescale or (1, 0)
    if rescale:
        ds.RescaleSlope, ds.RescaleIntercept = (str(number) for number in rescale)
    ends = low * slope + intercept, high * slope + intercept
    assume(ends[0] < centre + width / 2 and ends[1] > centre - width / 2)  # else it is left out
    expected = as_shown_by_pydicom(ds, *ends)
    assert np.abs(image_of(ds) - expected).max() <= LEVEL / 2


@settings(max_examples=40, deadline=None)
@given(
    window=st.none() | st.tuples(st.integers(0, 4095), st.integers(2, 8000)),
    function=st.sampled_from(["LINEAR_EXACT", "SIGMOID"]),
    bits=st.integers(8, 16),
)
def test_monochrome1_renders_as_its_inverted_monochrome2_twin(
    window: tuple[int, int] | None, function: str, bits: int
) -> None:
    pixels = film_pixels(24, 20, bits=bits).astype(np.uint16)
    top = 2**bits - 1
    mirrored = (top - window[0], window[1]) if window else None
    film = radiograph_dataset(pixels, bits_stored=bits, window=window, VOILUTFunction=function)
    twin = radiograph_dataset(
        top - pixels,
        bits_stored=bits,
        window=mirrored,
        VOILUTFunction=function,
        photometric_interpretation="MONOCHROME1",
    )
    assert np.abs(image_of(film) - image_of(twin)).max() < 1e-5


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_film_is_inverted_once(polarity: str, shape: str) -> None:
    ds = radiograph_dataset(photometric_interpretation=polarity, PresentationLUTShape=shape)
    plain = film_pixels() / 4095
    turned = polarity == "MONOCHROME1" or shape == "INVERSE"
    assert np.abs(image_of(ds) - (1 - plain if turned else plain)).max() < 1e-5


@settings(max_examples=40, deadline=None)
@given(bits=st.integers(8, 16), spare=st.integers(0, 8), signed=st.booleans())
def test_one_picture_looks_the_same_in_any_number_of_bits(
    bits: int, spare: int, signed: bool
) -> None:
    assume(bits + spare <= 16)
    reference = film_pixels(24, 20, bits=16) / 65_535
    pixels: Pixels = film_pixels(24, 20, bits=bits).astype(np.int32)
    pixels = (pixels - 2 ** (bits - 1)) if signed else pixels
    pixels = (pixels << spare).astype(np.int16 if signed else np.uint16)
    ds = radiograph_dataset(pixels, bits_stored=bits, high_bit=bits - 1 + spare)
    assert np.abs(image_of(ds) - reference).max() <= 1 / 2**bits + 1e-4


def test_12_bit_film_that_claims_16_bits_is_not_black() -> None:
    ds = radiograph_dataset(film_pixels(), bits_stored=16)
    assert np.abs(image_of(ds) - film_pixels() / 4095).max() < 1e-5


@pytest.mark.parametrize(
    ("low", "high", "bits", "signed", "expected"),
    [
        (0, 4095, 12, False, (0, 4095)),
        (0, 1500, 12, False, (0, 4095)),  # a dark film keeps its range
        (0, 4000, 16, False, (0, 4095)),  # two bits are never used
        (0, 16_400, 16, False, (0, 65_535)),  # one bit is not enough to tell
        (0, 60, 8, False, (0, 255)),  # 8 bits are never fewer
        (0, 60, 16, False, (0, 255)),
        (0, 4095, 16, True, (0, 4095)),
        (-2048, 2047, 16, True, (-2048, 2047)),
        (-30_000, 100, 16, True, (-32_768, 32_767)),
        (0, 1, 1, False, (0, 1)),
    ],
)
def test_full_range(
    low: int, high: int, bits: int, signed: bool, expected: tuple[int, int]
) -> None:
    assert full_range(low, high, bits, signed=signed) == expected


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padding", [0, 4095, 60_000])
def test_padding_is_as_dark_as_the_darkest_tissue(polarity: str, padding: int) -> None:
    pixels = np.clip(film_pixels(), 100, 4000)
    pixels[:20] = padding
    ds = radiograph_dataset(pixels, photometric_interpretation=polarity, bits_stored=16)
    ds.PixelPaddingValue = padding
    image = image_of(ds)
    assert np.ptp(image[:20]) == 0
    assert image[0, 0] == image[20:].min()
    assert image[20:].max() > 0.9, "padding does not stretch the range"


def test_padding_range_is_ignored() -> None:
    pixels = film_pixels()
    pixels[:20] = np.arange(3500, 3500 + pixels[:20].size).reshape(20, -1) % 595 + 3500
    ds = radiograph_dataset(pixels, PixelPaddingValue=3500, PixelPaddingRangeLimit=4095)
    assert image_of(ds)[:20].max() == image_of(ds).min()


def test_floating_point_values_are_shown_between_minimum_and_maximum() -> None:
    values = np.linspace(-3, 5, 12, dtype=np.float32).reshape(3, 4)
    values[0, 0] = np.nan
    image = to_image(to_softcopy(values, radiograph_dataset()))
    assert image[0, 0] == image.min() == 0
    assert image[-1, -1] == 1
    assert np.isfinite(image).all()


def test_narrow_window_in_a_wide_range_keeps_its_greys() -> None:
    pixels = np.linspace(1_000_000, 1_000_400, 600).reshape(20, 30).astype(np.uint32)
    pixels[0, 0], pixels[0, 1] = 0, 4_000_000_000
    ds = radiograph_dataset(pixels, window=(1_000_200, 401))
    assert np.unique(np.round(image_of(ds) * 255)).size > 250
