"""Stored values, tables and windows."""

from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    lut_item,
    radiograph_dataset,
    with_elements,
)
from tests.unit.cxr_app.imaging.cases.odd_film import OddFilm, film, plain_image, plain_pixels

IMPLICIT = "1.2.840.10008.1.2"
JPEG_2000, JPEG_LS = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"
XRF = "1.2.840.10008.5.1.4.1.1.12.2"
RAMP = np.arange(4096)


def voi_lut_below_zero() -> bytes:
    item = lut_item(0, RAMP, 12)
    item.LUTDescriptor = [4096, 65_536 - 2048, 12]
    item["LUTDescriptor"].VR = "US"
    rescale: dict[str, Any] = {"RescaleSlope": "1", "RescaleIntercept": "-2048"}
    return film(syntax=IMPLICIT, VOILUTSequence=[item], **rescale)


def in_codestream(syntax: str, stored: int, high: int) -> bytes:
    """Compress whole words, with an overlay in the bits that are free."""
    words = plain_pixels() << np.uint16(high + 1 - stored)
    if high < 15:
        words[60:180, 100:200] |= np.uint16(1 << (high + 1))
    whole = radiograph_dataset(words, bits_stored=16)
    ds = dcmread(BytesIO(compressed_dicom_bytes(whole, syntax)))
    ds.BitsStored, ds.HighBit = stored, high
    buffer = BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


def window_in_groups() -> bytes:
    window = with_elements(Dataset(), WindowCenter="1000", WindowWidth="1200")
    group = with_elements(Dataset(), FrameVOILUTSequence=[window])
    return film(SharedFunctionalGroupsSequence=[group])


def windowed() -> Any:
    return ((plain_pixels() - 999.5) / 1199 + 0.5).clip(0, 1)


CASES = (
    OddFilm(
        "VOI LUT that begins at -2048, written unsigned",
        voi_lut_below_zero,
        "PS3.3 C.11.2.1.1",
        "dcm2pnm 3.6.7 agrees; pydicom 3.0.2 reads 63488",
    ),
    OddFilm(
        "VOI LUT of 12 bits that claims 16",
        lambda: film(VOILUTSequence=[lut_item(0, RAMP, 16)]),
        "PS3.3 C.11.2.1.1 says dark; writers mean 12 bits",
        "dcm2pnm 3.6.7 shows it dark; other viewers scale by the largest entry",
    ),
    OddFilm(
        "Modality LUT of 10 bits that claims 16",
        lambda: film(ModalityLUTSequence=[lut_item(0, RAMP // 4, 16)]),
        "PS3.3 C.11.1.1 says dark; writers mean 10 bits",
        "dcm2pnm 3.6.7 agrees",
        tolerance=2 / 255,
    ),
    OddFilm(
        "empty Modality LUT item",
        lambda: film(ModalityLUTSequence=[Dataset()]),
        "PS3.3 C.11.1: not valid, nothing to apply",
    ),
    OddFilm(
        "Modality LUT of an XRF image",
        lambda: film(
            SOPClassUID=XRF, Modality="RF", ModalityLUTSequence=[lut_item(0, RAMP[::-1], 12)]
        ),
        "PS3.4 N.2.1.2, N.2.5",
        "dcm2pnm 3.6.7 agrees; pydicom 3.0.2 leaves it to its caller",
    ),
    OddFilm(
        "rescale of an XRF image",
        lambda: film(SOPClassUID=XRF, Modality="RF", RescaleSlope="-1", RescaleIntercept="4095"),
        "PS3.4 N.2.1.2, N.2.5",
        "dcm2pnm 3.6.7 agrees",
    ),
    OddFilm(
        "overlay in bit 12 of JPEG 2000",
        lambda: in_codestream(JPEG_2000, 12, 11),
        "PS3.5 8.1.1",
        "pydicom 3.0.2 does not mask",
    ),
    OddFilm(
        "overlay in bit 12 of JPEG-LS",
        lambda: in_codestream(JPEG_LS, 12, 11),
        "PS3.5 8.1.1",
        "dcml2pnm 3.6.7 agrees",
    ),
    OddFilm(
        "High Bit 15 of 12 bits in JPEG-LS",
        lambda: in_codestream(JPEG_LS, 12, 15),
        "PS3.5 8.1.1",
        "dcml2pnm 3.6.7 agrees",
    ),
    OddFilm(
        "High Bit 15 of 12 bits in JPEG 2000",
        lambda: in_codestream(JPEG_2000, 12, 15),
        "PS3.5 8.1.1",
    ),
    OddFilm(
        "window in functional groups",
        window_in_groups,
        "PS3.3 C.7.6.16.2.10",
        "dcm2pnm 3.6.7 and pydicom 3.0.2 do not look there",
        windowed,
    ),
    OddFilm(
        "window in which no pixel lies",
        lambda: film(window=(60_000, 100)),
        "PS3.3 C.11.2.1.2 says black, which shows nothing",
        "dcm2pnm 3.6.7 shows black",
    ),
    OddFilm(
        "MONOCHROME1 with Presentation LUT Shape IDENTITY",
        lambda: film(photometric_interpretation="MONOCHROME1", PresentationLUTShape="IDENTITY"),
        "PS3.3 C.7.6.3.1.2 and C.8.11.3.1.2 contradict each other",
        "references disagree; shown as MONOCHROME1, with a remark",
        lambda: 1 - plain_image(),
    ),
    OddFilm(
        "preamble like a JPEG",
        lambda: b"\xff\xd8\xff\xe0" + dicom_bytes(radiograph_dataset(plain_pixels()))[4:],
        "PS3.10 7.1",
        "all agree",
    ),
)
