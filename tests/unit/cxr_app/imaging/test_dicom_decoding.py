"""Pixel data of every transfer syntax: decoded to the film, or refused in one sentence."""

import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    PixelDataError,
)
from cxr_app.imaging import dicom_decoding
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    encapsulated_dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
)

FOLDER = Path(__file__).resolve().parents[3] / "data"
COMPRESSED = [
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000Lossless,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    HTJ2K,
]
MPEG2 = "1.2.840.10008.1.2.4.100"


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_film_is_the_same_in_every_lossless_syntax(syntax: str) -> None:
    radiograph = read_radiograph(compressed_dicom_bytes(radiograph_dataset(), syntax))
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)


def test_jpeg_within_dicom_differs_from_the_film_by_a_few_grey_levels() -> None:
    pixels = film_pixels(bits=8)
    radiograph = read_radiograph(jpeg_dicom_bytes(pixels))
    assert np.abs(radiograph.image - pixels / 255).mean() < 0.02


def test_syntax_without_decoder_is_named() -> None:
    ds = dcmread(BytesIO(compressed_dicom_bytes(radiograph_dataset(), RLELossless)))
    ds.file_meta.TransferSyntaxUID = UID(MPEG2)
    buffer = BytesIO()
    dcmwrite(buffer, ds)
    with pytest.raises(PixelDataError, match=r"MPEG2 .* no decoder"):
        read_radiograph(buffer.getvalue())


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_htj2k_decodes_to_the_original_film(syntax: str) -> None:
    """The file was encoded by OpenJPH, because no encoder is installed here."""
    codestream = (FOLDER / "film.j2c").read_bytes()
    ds = radiograph_dataset(film_pixels(80, 72))
    radiograph = read_radiograph(encapsulated_dicom_bytes(ds, codestream, syntax))
    assert np.allclose(radiograph.image, film_pixels(80, 72) / 4095, atol=1e-6)
    assert radiograph.header is not None
    assert radiograph.header.transfer_syntax.startswith("High-Throughput JPEG 2000")


def of_12_bits(**elements: Any) -> bytes:
    """Return a drawn film as JPEG extended; DCMTK encoded it, as no encoder is installed here."""
    codestream = (FOLDER / "film_of_12_bits.jpg").read_bytes()
    ds = radiograph_dataset(film_pixels(80, 72), **elements)
    return encapsulated_dicom_bytes(ds, codestream, JPEGExtended12Bit)


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_jpeg_of_12_bits_decodes_to_the_original_film(polarity: str) -> None:
    elements: dict[str, Any] = {"photometric_interpretation": polarity, "window": (1800, 3000)}
    film = read_radiograph(of_12_bits(**elements)).image
    original = radiograph_dataset(film_pixels(80, 72), **elements)
    difference = np.abs(film - read_radiograph(dicom_bytes(original)).image)
    assert difference.max() < 0.05
    assert difference.mean() < 0.01


def test_jpeg_values_beyond_the_stored_bits_are_white() -> None:
    whole = 4095 * read_radiograph(of_12_bits()).image
    film = read_radiograph(of_12_bits(bits_stored=10)).image
    assert np.abs(film - whole.clip(0, 1023) / 1023).max() < 1e-4


def test_signed_jpeg_of_12_bits_keeps_its_sign() -> None:
    stored = np.rint(4095 * read_radiograph(of_12_bits()).image)
    softcopy = read_softcopy(of_12_bits(PixelRepresentation=1))
    values = softcopy.origin + softcopy.step * softcopy.values
    assert (values == np.where(stored < 2048, stored, stored - 4096)).all()


def test_damaged_jpeg_of_12_bits_is_refused() -> None:
    data = of_12_bits()
    with pytest.raises(PixelDataError, match=r"JPEG Extended.* damaged or cut short"):
        read_radiograph(data.replace(b"\xff\xda", b"\xff\xd9"))


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_every_compressed_syntax_names_itself_and_its_missing_decoder(
    syntax: UID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encapsulated_dicom_bytes(radiograph_dataset(), b"\0" * 64, syntax)
    missing = SimpleNamespace(
        is_encapsulated=True, available_plugins=(), missing_dependencies=["name - requires name"]
    )
    monkeypatch.setattr(dicom_decoding, "get_decoder", lambda _: missing)
    words = f"{re.escape(syntax.name)}, and its decoder is missing: name - requires name"
    with pytest.raises(PixelDataError, match=words):
        read_radiograph(data)


def test_12_bit_jpeg_names_the_missing_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    data = of_12_bits()
    missing = SimpleNamespace(
        is_encapsulated=True, available_plugins=(), missing_dependencies=["gdcm - requires gdcm"]
    )
    monkeypatch.setattr(dicom_decoding, "get_decoder", lambda _: missing)
    with pytest.raises(PixelDataError, match=r"JPEG Extended.* more than 8 bits, .*gdcm"):
        read_radiograph(data)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_huge_codestream_behind_a_small_header_is_refused_before_decoding(syntax: str) -> None:
    data = compressed_dicom_bytes(radiograph_dataset(), syntax)
    rows, columns = film_pixels().shape
    size = np.array([columns, rows] if syntax == JPEG2000Lossless else [rows, columns])
    width = ">u4" if syntax == JPEG2000Lossless else ">u2"
    huge = np.array([65_000, 65_000], width).tobytes()
    assert data.count(size.astype(width).tobytes()) >= 1
    with pytest.raises(FilmTooLargeError, match="65000 × 65000"):
        read_radiograph(data.replace(size.astype(width).tobytes(), huge))


@pytest.mark.parametrize("representation", [b"UT", b"US", b"LO", b"SQ", b"UN"])
def test_pixel_data_of_a_wrong_type_is_refused_and_starts_no_decoder(
    representation: bytes,
) -> None:
    read_radiograph(jpeg_dicom_bytes(film_pixels(bits=8)))
    before = len(psutil.Process().children())
    data = jpeg_dicom_bytes(film_pixels(bits=8))
    element = b"\xe0\x7f\x10\x00"
    with suppress(FilmError):
        read_radiograph(data.replace(element + b"OB", element + representation))
    assert len(psutil.Process().children()) == before


def test_interrupted_decoder_does_not_count_as_damage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dicom_decoding, "pixel_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_radiograph(dicom_bytes())


def test_lossless_jpeg_is_decoded_in_a_subprocess() -> None:
    pixels = film_pixels(bits=8)
    data = jpeg_dicom_bytes(pixels)
    # GDCM goes by the codestream itself, here JPEG baseline.
    data = data.replace(JPEGBaseline8Bit.encode(), JPEGLossless.encode())
    assert np.abs(read_radiograph(data).image - pixels / 255).mean() < 0.02
    damaged = data.replace(b"\xff\xda", b"\xff\xd9")
    with pytest.raises(PixelDataError, match=r"JPEG Lossless.* damaged or cut short"):
        read_radiograph(damaged)
