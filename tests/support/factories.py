"""Builders of valid films as bytes: DICOM data sets, JPEG and PNG files."""

import zlib
from copy import deepcopy
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    generate_uid,
)

from training.drawing.phantom_films import draw_phantom

Pixels = NDArray[Any]


def film_pixels(rows: int = 160, columns: int = 144, *, bits: int = 12, seed: int = 0) -> Pixels:
    """Draw a chest film as unsigned stored values over the whole range of `bits`."""
    image = draw_phantom(seed, rows, columns)
    image = (image - image.min()) / (image.max() - image.min())
    return np.asarray(np.rint(image * (2**bits - 1)), dtype=np.uint8 if bits <= 8 else np.uint16)


def radiograph_dataset(
    pixels: Pixels | None = None,
    *,
    photometric_interpretation: str = "MONOCHROME2",
    bits_stored: int | None = None,
    high_bit: int | None = None,
    window: tuple[float, float] | None = None,
    **elements: Any,
) -> Dataset:
    """Build a valid CR chest film; `elements` are set by keyword, None removes one.

    Bits Allocated and Pixel Representation follow from the type of `pixels`.
    """
    pixels = film_pixels() if pixels is None else pixels
    allocated = pixels.dtype.itemsize * 8
    ds = _identity()
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.PhotometricInterpretation = photometric_interpretation
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = allocated
    ds.BitsStored = bits_stored or (12 if allocated == 16 else allocated)
    ds.HighBit = ds.BitsStored - 1 if high_bit is None else high_bit
    ds.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    if window is not None:
        ds.WindowCenter, ds.WindowWidth = (str(round(number, 6)) for number in window)
    data = pixels.tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if allocated == 8 else "OW"
    return with_elements(ds, **elements)


def with_elements(ds: Dataset, **elements: Any) -> Dataset:
    """Set elements by keyword; None removes one."""
    for keyword, value in elements.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def _identity() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SOPClassUID = ComputedRadiographyImageStorage
    ds.SOPInstanceUID = generate_uid()
    ds.StudyDate = "20260105"
    ds.StudyTime = "083000"
    ds.AccessionNumber = "A-1"
    ds.Modality = "CR"
    ds.StudyDescription = "Chest"
    ds.PatientName = "Phantom^Ada"
    ds.PatientID = "P-1"
    ds.PatientBirthDate = "20230501"
    ds.PatientSex = "F"
    ds.PatientAge = "002Y"
    ds.BodyPartExamined = "CHEST"
    ds.ViewPosition = "AP"
    ds.StudyInstanceUID = generate_uid()
    ds.SeriesInstanceUID = generate_uid()
    ds.PatientOrientation = ["L", "F"]
    return ds


def lut_item(first: int, entries: Pixels, bits: int, **elements: Any) -> Dataset:
    """Build an item of a Modality LUT Sequence or VOI LUT Sequence."""
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 65_536, first, bits]
    item.LUTData = [int(entry) for entry in entries]
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    item["LUTData"].VR = "OW" if isinstance(elements.get("LUTData"), bytes) else "US"
    return with_elements(item, **elements)


def dicom_bytes(
    ds: Dataset | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    *,
    whole: bool = True,
) -> bytes:
    """Write a data set in an uncompressed transfer syntax.

    With `whole` False the file has neither preamble nor meta header.
    """
    syntax = UID(transfer_syntax)
    ds = radiograph_dataset() if ds is None else _unwritten(ds)
    if syntax == ExplicitVRBigEndian:
        ds = _big_endian(ds)
    buffer = BytesIO()
    if whole:
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax
        dcmwrite(buffer, ds, enforce_file_format=True)
    else:
        implicit = syntax == ImplicitVRLittleEndian
        dcmwrite(buffer, ds, implicit_vr=implicit, little_endian=syntax != ExplicitVRBigEndian)
    return buffer.getvalue()


def _unwritten(ds: Dataset) -> Dataset:
    """Copy a data set without the traces of earlier writing."""
    fresh = Dataset()
    fresh.update(deepcopy(ds))
    return fresh


def _big_endian(ds: Dataset) -> Dataset:
    """Swap the bytes of 16-bit pixel data, because pydicom writes them as they are."""
    ds["PixelData"].value = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    return ds


def compressed_dicom_bytes(ds: Dataset, transfer_syntax: str, **options: Any) -> bytes:
    """Return a data set in a compressed transfer syntax; `options` are those of the encoder."""
    written = dcmread(BytesIO(dicom_bytes(ds)))
    written.compress(transfer_syntax, generate_instance_uid=False, **options)
    buffer = BytesIO()
    dcmwrite(buffer, written, enforce_file_format=True)
    return buffer.getvalue()


def jpeg_dicom_bytes(pixels: Pixels, **elements: Any) -> bytes:
    """Write an 8-bit film as JPEG baseline within DICOM."""
    ds = radiograph_dataset(pixels, **elements)
    return encapsulated_dicom_bytes(ds, jpeg_bytes(pixels), JPEGBaseline8Bit)


def encapsulated_dicom_bytes(ds: Dataset, codestream: bytes, transfer_syntax: str) -> bytes:
    """Return a data set with pixel data that is already compressed."""
    ds.PixelData = encapsulate([codestream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return dicom_bytes(ds, transfer_syntax)


def jpeg_bytes(pixels: Pixels | None = None, *, quality: int = 90, orientation: int = 0) -> bytes:
    """Write 8-bit grey or RGB pixels as a JPEG file, with an Exif orientation if given."""
    image = PillowImage.fromarray(film_pixels(bits=8) if pixels is None else pixels)
    exif = PillowImage.Exif()
    if orientation:
        exif[0x0112] = orientation
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, exif=exif)
    return buffer.getvalue()


def png_bytes(pixels: Pixels | None = None) -> bytes:
    """Write grey (8 or 16 bits), RGB or RGBA pixels as a PNG file."""
    image = PillowImage.fromarray(film_pixels(bits=8) if pixels is None else pixels)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def png_bomb(rows: int, columns: int) -> bytes:
    """Return a PNG of a few kilobytes that claims `rows` × `columns` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + checksum

    size = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
    header = chunk(b"IHDR", size + bytes([8, 0, 0, 0, 0]))
    body = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")
