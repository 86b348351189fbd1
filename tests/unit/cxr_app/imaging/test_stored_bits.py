"""The stored value among its neighbours, after any decoder, and decoders that replace another."""

import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.errors import FilmTooLargeError, PixelDataError
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.native_frames import DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED
from cxr_app.imaging.stored_bits import cut
from tests.support.factories import (
    Pixels,
    compressed_dicom_bytes,
    dicom_bytes,
    encapsulated_dicom_bytes,
    film_pixels,
    jpeg_bytes,
    jpeg_dicom_bytes,
    radiograph_dataset,
)

LOSSLESS = [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless]


def in_words(values: Pixels, stored: int, high: int, seed: int = 0) -> Pixels:
    """Store values of `stored` bits into 16-bit words full of other bits."""
    noise = np.random.default_rng(seed).integers(0, 2**16, values.shape, dtype=np.uint16)
    mask = np.uint16((2**stored - 1) << (high + 1 - stored))
    placed = (values.astype(np.uint16) & np.uint16(2**stored - 1)) << np.uint16(high + 1 - stored)
    return np.asarray((placed & mask) | (noise & ~mask))


def stored_in(words: Pixels, syntax: str, stored: int, high: int, **elements: Any) -> bytes:
    """Write words as they are, whatever their header says of them."""
    whole = radiograph_dataset(words, bits_stored=16, **elements)
    data = (
        dicom_bytes(whole)
        if syntax == ExplicitVRLittleEndian
        else compressed_dicom_bytes(whole, syntax)
    )
    ds = dcmread(BytesIO(data))
    ds.BitsStored, ds.HighBit = stored, high
    buffer = BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


@settings(max_examples=25, deadline=None)
@given(
    syntax=st.sampled_from(LOSSLESS),
    stored=st.integers(9, 15),
    above=st.integers(0, 6),
    signed=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_only_the_stored_bits_count_after_any_decoder(
    syntax: str, stored: int, above: int, signed: bool, seed: int
) -> None:
    high = min(15, stored - 1 + above)
    values = film_pixels(72, 64, bits=stored).astype(np.int32) - (
        2 ** (stored - 1) if signed else 0
    )
    words = in_words(values, stored, high, seed)
    data = stored_in(words, syntax, stored, high)
    if signed:
        ds = dcmread(BytesIO(data))
        ds.PixelRepresentation = 1
        buffer = BytesIO()
        ds.save_as(buffer)
        data = buffer.getvalue()
    softcopy = read_softcopy(data)
    assert (softcopy.origin + softcopy.step * softcopy.values == values).all()


def test_a_codestream_below_the_high_bit_holds_the_value_alone() -> None:
    ds = Dataset()
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 15, 0
    values = np.array([[0, 100, 4095]], np.uint16)
    assert (cut(values, ds, 12) == values).all()
    assert (cut(values << np.uint16(4), ds, 16) == values).all()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_codestream_that_lacks_only_its_end_mark_is_read(syntax: str) -> None:
    ds = dcmread(BytesIO(compressed_dicom_bytes(radiograph_dataset(), syntax)))
    frame = get_frame(ds.PixelData, 0, number_of_frames=1).rstrip(b"\0").removesuffix(b"\xff\xd9")
    data = encapsulated_dicom_bytes(radiograph_dataset(), frame, syntax)
    assert np.abs(read_radiograph(data).image - film_pixels() / 4095).max() < 1e-6
    for shorter in (frame[:-20], frame[: len(frame) // 2]):
        data = encapsulated_dicom_bytes(radiograph_dataset(), shorter, syntax)
        with pytest.raises(PixelDataError, match="damaged or cut short"):
            read_radiograph(data)


@pytest.mark.parametrize("colour", [False, True])
def test_a_jpeg_file_that_lacks_only_its_end_mark_is_read(colour: bool) -> None:
    pixels = film_pixels(bits=8)
    whole = jpeg_bytes(np.repeat(pixels[..., None], 3, axis=2) if colour else pixels)
    expected = read_radiograph(whole).image
    for shorter in (whole[:-2], whole[:-1]):
        assert (read_radiograph(shorter).image == expected).all()
    for missing in (3, 4, 5, 10, 50, len(whole) // 2):
        with pytest.raises(PixelDataError, match="damaged or cut short"):
            read_radiograph(whole[:-missing])
    ds = radiograph_dataset(np.repeat(pixels[..., None], 3, axis=2) if colour else pixels)
    ds.PhotometricInterpretation = "YBR_FULL_422" if colour else "MONOCHROME2"
    inside = encapsulated_dicom_bytes(ds, whole[:-2], JPEGBaseline8Bit)
    assert np.abs(read_radiograph(inside).image - expected).max() < 0.02


def test_a_jpeg_that_lacks_only_its_end_mark_is_read() -> None:
    pixels = film_pixels(bits=8)
    ds, whole = radiograph_dataset(pixels), jpeg_bytes(pixels).removesuffix(b"\xff\xd9")
    image = read_radiograph(encapsulated_dicom_bytes(ds, whole, JPEGBaseline8Bit)).image
    assert (image == read_radiograph(jpeg_dicom_bytes(pixels)).image).all()
    data = encapsulated_dicom_bytes(radiograph_dataset(pixels), whole[:-20], JPEGBaseline8Bit)
    with pytest.raises(PixelDataError, match="damaged or cut short"):
        read_radiograph(data)


def test_a_jpeg_whose_components_are_named_rgb_is_read() -> None:
    rgb = np.repeat(film_pixels(bits=8)[..., None], 3, axis=2)
    buffer = BytesIO()
    PillowImage.fromarray(rgb).save(buffer, "JPEG", quality=95, keep_rgb=True)
    codestream = buffer.getvalue()
    adobe = codestream.find(b"\xff\xee")
    if adobe > 0:
        codestream = codestream[:adobe] + codestream[adobe + 16 :]
    ds = radiograph_dataset(rgb, photometric_interpretation="RGB")
    image = read_radiograph(encapsulated_dicom_bytes(ds, codestream, JPEGBaseline8Bit)).image
    assert np.abs(image - film_pixels(bits=8) / 255).mean() < 0.01


def wrapped(syntax: UID, frames: list[bytes], **elements: Any) -> bytes:
    """Write frames into items of encapsulated pixel data."""
    data = encapsulated_dicom_bytes(radiograph_dataset(**elements), frames[0], JPEG2000Lossless)
    ds = dcmread(BytesIO(data))
    ds.PixelData = encapsulate(frames)
    ds.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    ds.save_as(buffer, implicit_vr=False, little_endian=True, force_encoding=True)
    return buffer.getvalue()


def deflated(frame: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(frame) + packer.flush()


@pytest.mark.parametrize("count", [1, 2])
def test_frames_that_are_wrapped_or_deflated_are_read(count: int) -> None:
    frames = [film_pixels(seed=seed).astype("<u2").tobytes() for seed in range(count)]
    elements: dict[str, Any] = {"NumberOfFrames": str(count)} if count > 1 else {}
    native = wrapped(ENCAPSULATED_UNCOMPRESSED, frames, **elements)
    packed = wrapped(DEFLATED_FRAMES, [deflated(frame) for frame in frames], **elements)
    for data in (native, packed):
        radiograph = read_radiograph(data)
        assert np.abs(radiograph.image - film_pixels() / 4095).max() < 1e-6
        assert radiograph.header is not None
        assert "2.8.1" not in radiograph.header.transfer_syntax


def test_damaged_and_huge_deflated_frames_are_refused() -> None:
    with pytest.raises(PixelDataError, match=r"Deflated Image Frame.* damaged"):
        read_radiograph(wrapped(DEFLATED_FRAMES, [b"\0\1\2\3" * 20]))
    with pytest.raises(PixelDataError, match="damaged or cut short"):
        read_radiograph(wrapped(DEFLATED_FRAMES, [deflated(bytes(100))]))
    with pytest.raises(FilmTooLargeError, match="inflates"):
        read_radiograph(wrapped(DEFLATED_FRAMES, [deflated(bytes(10**7))]))


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
        ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression"),
        ("1.2.840.10008.1.2.4.112", "JPEG XL"),
        ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
        ("1.2.840.113619.5.2", "GE Private"),
    ],
)
def test_what_has_no_decoder_is_called_by_its_name(syntax: str, name: str) -> None:
    data = wrapped(UID(syntax), [bytes(100)])
    with pytest.raises(PixelDataError, match=rf"{name}.*, for which there is no decoder"):
        read_radiograph(data)
