"""Any bytes are a film, or are refused in one clear sentence."""

import errno
import hashlib
import random
import re
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    ShortageError,
)
from cxr_app.imaging import dicom, dicom_decoding, intake, raster
from cxr_app.imaging.intake import read_radiograph, read_softcopy, sniff
from cxr_app.imaging.pixels import to_image
from tests.support.factories import (
    Pixels,
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    jpeg_bytes,
    jpeg_dicom_bytes,
    lut_item,
    png_bytes,
    radiograph_dataset,
)
from training.bench.mutants import mutant

GREY_LEVEL = 1 / 255


def small_films() -> dict[str, bytes]:
    """Return a small film of every kind that is read."""
    pixels, ds = film_pixels(40, 36), radiograph_dataset(film_pixels(40, 36), window=(2000, 3000))
    return {
        "explicit": dicom_bytes(ds),
        "implicit": dicom_bytes(ds, ImplicitVRLittleEndian),
        "no preamble": dicom_bytes(ds, whole=False),
        "deflated": dicom_bytes(ds, DeflatedExplicitVRLittleEndian),
        "RLE": compressed_dicom_bytes(ds, RLELossless),
        "JPEG 2000": compressed_dicom_bytes(ds, JPEG2000Lossless),
        "JPEG-LS": compressed_dicom_bytes(ds, JPEGLSLossless),
        "JPEG in DICOM": jpeg_dicom_bytes(film_pixels(40, 36, bits=8)),
        "LUTs": dicom_bytes(
            radiograph_dataset(
                pixels,
                ModalityLUTSequence=[lut_item(0, np.arange(4096), 12)],
                VOILUTSequence=[lut_item(0, np.arange(4096) * 16, 16)],
            )
        ),
        "JPEG": jpeg_bytes(film_pixels(40, 36, bits=8), orientation=6),
        "PNG": png_bytes(film_pixels(40, 36, bits=8)),
        "16-bit PNG": png_bytes(pixels),
    }


@pytest.mark.parametrize("kind", small_films())
def test_format_is_detected_by_content(kind: str) -> None:
    data = small_films()[kind]
    radiograph = read_radiograph(data)
    assert radiograph.file_format == sniff(data)
    assert radiograph.sha256 == hashlib.sha256(data).hexdigest()
    assert not radiograph.image.flags.writeable


@pytest.mark.parametrize("kind", small_films())
def test_first_window_of_the_viewer_shows_what_is_scored(kind: str) -> None:
    data = small_films()[kind]
    softcopy = read_softcopy(data)
    assert np.abs(to_image(softcopy) - read_radiograph(data).image).max() < GREY_LEVEL
    assert len(softcopy.windows) >= 2


@settings(max_examples=60, deadline=None)
@given(
    window=st.tuples(st.integers(-3000, 5000), st.integers(1, 9000)),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    rescale=st.sampled_from([(1, 0), (0.684, 200), (-1, 4095), (1e-4, 0), (3, -1024)]),
    polarity=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    dtype=st.sampled_from(["u2", "i2", "u4"]),
)
def test_viewer_formula_gives_the_scored_image(
    window: tuple[float, float],
    function: str,
    rescale: tuple[float, float],
    polarity: str,
    dtype: str,
) -> None:
    slope, intercept = rescale
    ds = radiograph_dataset(
        film_pixels(40, 36).astype(dtype),
        bits_stored=12 if dtype != "u4" else 32,
        photometric_interpretation=polarity,
        window=window,
        VOILUTFunction=function,
        RescaleSlope=str(slope),
        RescaleIntercept=str(intercept),
    )
    data = dicom_bytes(ds)
    softcopy = read_softcopy(data)
    own = softcopy.windows[0]
    if own.name == "Full range":  # no pixel lies in the window
        window, function = (own.window_center, own.window_width), "LINEAR_EXACT"
    shown = shown_by_formula(softcopy.origin + softcopy.step * softcopy.values, window, function)
    shown = 1 - shown if softcopy.inverted else shown
    assert np.abs(shown - read_radiograph(data).image).max() < GREY_LEVEL


def shown_by_formula(values: Pixels, window: tuple[float, float], function: str) -> Pixels:
    """Apply PS3.3 C.11.2.1.2 and C.11.2.1.3 literally, as the viewer in the browser does."""
    centre, width = map(float, window)
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-4 * (values - centre) / width)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if width == 0:
        return (values > centre).astype(float)
    return np.asarray(((values - centre) / width + 0.5).clip(0, 1))


@pytest.mark.parametrize("bits", [8, 16])
def test_same_values_are_the_same_film_as_png_and_as_dicom(bits: int) -> None:
    pixels = film_pixels(bits=bits)
    as_dicom = read_radiograph(dicom_bytes(radiograph_dataset(pixels, bits_stored=bits)))
    assert np.abs(as_dicom.image - read_radiograph(png_bytes(pixels)).image).max() < 1e-6


def test_8_bit_and_12_bit_twins_are_nearly_equal() -> None:
    eight, twelve = (
        read_radiograph(dicom_bytes(radiograph_dataset(film_pixels(bits=bits), bits_stored=bits)))
        for bits in (8, 12)
    )
    assert np.abs(eight.image - twelve.image).max() <= GREY_LEVEL / 2 + 1e-3


def test_empty_file_is_refused() -> None:
    with pytest.raises(NotAFilmError, match="empty"):
        read_radiograph(b"")


def test_too_large_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 2**20)
    with pytest.raises(FilmTooLargeError, match="more than the 1 MB allowed"):
        read_radiograph(bytes(2 * 2**20))


SHORTAGES = [
    MemoryError(),
    *(OSError(number, "") for number in (errno.ENOMEM, errno.EMFILE, errno.ENFILE)),
    *(OSError(number, "") for number in (errno.ENOSPC, errno.EAGAIN)),
    OSError("out of memory error when reading image file"),
]


@pytest.mark.parametrize("shortage", SHORTAGES, ids=repr)
@pytest.mark.parametrize(
    ("module", "reader", "data"),
    [
        (dicom, "dcmread", dicom_bytes()),
        (dicom_decoding, "pixel_array", dicom_bytes()),
        (dicom_decoding, "generate_fragments", jpeg_dicom_bytes(film_pixels(40, 36, bits=8))),
        (dicom_decoding, "decode_in_subprocess", jpeg_dicom_bytes(film_pixels(40, 36, bits=8))),
        (raster, "decode_picture", jpeg_bytes()),
        (raster, "decode_picture", png_bytes()),
    ],
)
def test_computer_short_of_memory_does_not_make_a_film_damaged(
    module: ModuleType,
    reader: str,
    data: bytes,
    shortage: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise shortage

    monkeypatch.setattr(module, reader, fail)
    with pytest.raises(ShortageError, match="may be sound"):
        read_radiograph(data)


def test_error_of_the_system_about_the_content_makes_a_film_damaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("broken data stream when reading image file")

    monkeypatch.setattr(raster, "decode_picture", fail)
    with pytest.raises(PixelDataError, match="damaged or cut short"):
        read_radiograph(jpeg_bytes())


def test_text_is_refused() -> None:
    with pytest.raises(NotAFilmError, match="neither DICOM, JPEG nor PNG"):
        read_radiograph(b"Dear colleague, please find the film attached.")


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM", b"\x08\x00\x05\x00CS"]
    ),
    data=st.binary(max_size=300),
)
def test_any_bytes_are_a_film_or_a_film_error(start: bytes, data: bytes) -> None:
    read_or_refuse(start + data)


@pytest.mark.parametrize("kind", small_films())
def test_mutants_of_a_film_are_films_or_film_errors(kind: str) -> None:
    data, choose = small_films()[kind], random.Random(kind)  # noqa: S311 - no secret
    for _ in range(30):
        read_or_refuse(mutant(data, choose))


def read_or_refuse(data: bytes) -> None:
    """Read a film, or check that it is refused in one readable sentence."""
    try:
        assert np.isfinite(read_radiograph(data).image).all()
    except FilmError as error:
        refusal = str(error)
    else:
        return
    assert re.match(r"[A-Z(].{20,}\.$", refusal), refusal
