"""Frames that are encapsulated but hardly compressed: their bytes as native pixel data."""

import math
import zlib

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.uid import UID, ExplicitVRLittleEndian

from cxr_app.errors import FilmTooLargeError
from cxr_app.imaging.dicom_values import integer, text, transfer_syntax

ENCAPSULATED_UNCOMPRESSED = UID("1.2.840.10008.1.2.1.98")
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")


def with_native_frame(ds: Dataset) -> Dataset:
    """Return a data set whose pixel data is the first frame, explicit and little endian.

    Every other data set is returned as it is.

    Raises
    ------
    FilmTooLargeError
        If a deflated frame inflates to more bytes than its size allows.

    References
    ----------
    DICOM PS3.5 A.4.11 and A.4.13.
    """
    syntax = transfer_syntax(ds)
    if syntax not in (ENCAPSULATED_UNCOMPRESSED, DEFLATED_FRAMES):
        return ds
    frame = first_frame(ds)
    length = _frame_bytes(ds)
    if syntax == DEFLATED_FRAMES:
        frame = _inflated(frame, length)
    native = Dataset()
    native.update({element.tag: element for element in ds if element.keyword != "PixelData"})
    native.add_new(
        "PixelData", "OB" if ds.BitsAllocated <= 8 else "OW", frame[: length + length % 2]
    )
    if "NumberOfFrames" in ds:
        native.NumberOfFrames = 1
    native.file_meta = FileMetaDataset()
    native.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return native


def first_frame(ds: Dataset) -> bytes:
    """Return the first frame of encapsulated pixel data, all its fragments joined."""
    frames = integer(ds, "NumberOfFrames") or 1
    return get_frame(ds.PixelData, 0, number_of_frames=frames)


def _inflated(frame: bytes, length: int) -> bytes:
    """Inflate a frame of raw deflate data (RFC 1951)."""
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, length + 2)
    if len(inflated) > length + 1:
        raise FilmTooLargeError(
            "The pixel data inflates to more bytes than the image has: export the film again."
        )
    return inflated


def _frame_bytes(ds: Dataset) -> int:
    """Return the length of a frame by its header."""
    samples = integer(ds, "SamplesPerPixel") or 1
    bits: int = ds.Rows * ds.Columns * samples * (integer(ds, "BitsAllocated") or 16)
    if text(ds, "PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3
    return math.ceil(bits / 8)
