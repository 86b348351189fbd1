"""Files of pictures, forms of pixels, and films that are refused."""

import struct
import zlib
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from pydicom.uid import JPEGBaseline8Bit

from tests.support.factories import (
    Pixels,
    encapsulated_dicom_bytes,
    radiograph_dataset,
)
from tests.unit.cxr_app.imaging.cases.odd_film import OddFilm, film, plain_image, plain_pixels

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
LOSSLESS_JPEG = bytes.fromhex("ffd8ffc3000b0c00f00120010111 00".replace(" ", ""))
JPEG_OF_12_BITS = bytes.fromhex("ffd8ffc1000b0c00f0012001011100")


def png(samples: Pixels, colour_type: int, depth: int = 16, gamma: int = 0) -> bytes:
    """Write a PNG file by hand, as no library here writes all its types."""
    form = ">u2" if depth == 16 else "u1"
    lines = b"".join(b"\0" + line.astype(form).tobytes() for line in samples)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows, columns = samples.shape[:2]
    size = struct.pack(">IIBBBBB", columns, rows, depth, colour_type, 0, 0, 0)
    gama = chunk(b"gAMA", struct.pack(">I", gamma)) if gamma else b""
    body = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + gama + body + chunk(b"IEND", b"")


def in_channels(count: int, bits: int) -> Pixels:
    """Repeat the film in each channel; an alpha channel is opaque."""
    grey = plain_pixels(bits)
    channels = [grey] * (count - (count % 2 == 0))
    opaque = [np.full_like(grey, 65_535)] if count % 2 == 0 else []
    return np.stack([*channels, *opaque], axis=2)


def deep_png(count: int, colour_type: int) -> bytes:
    return png(in_channels(count, 14), colour_type)


def linear_png() -> bytes:
    linear = np.rint(255 * plain_image() ** 2.2).astype(np.uint8)
    return png(linear, GREY, depth=8, gamma=100_000)


def saved(pixels: Pixels, file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    PillowImage.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def jpeg_named_rgb() -> bytes:
    """Write a JPEG whose components are called R, G and B, and that says no more of its colours."""
    rgb = np.repeat(plain_pixels(8)[..., None], 3, axis=2)
    codestream = saved(rgb, "JPEG", quality=98, keep_rgb=True)
    start = codestream.find(b"\xff\xee")
    if start > 0:
        codestream = codestream[:start] + codestream[start + 16 :]
    ds = radiograph_dataset(rgb, photometric_interpretation="RGB")
    return encapsulated_dicom_bytes(ds, codestream, JPEGBaseline8Bit)


def half(**elements: Any) -> bytes:
    return film(np.ascontiguousarray(plain_pixels()[::2]), **elements)


def repeated() -> Pixels:
    return np.repeat(plain_image()[::2], 2, axis=0)


CASES = (
    *(
        OddFilm(
            f"PNG of {name}, 14 bits in 16",
            partial(deep_png, count, kind),
            "PNG (W3C) 11.2.1",
            "Pillow 13.0 reduces it to 8 bits; OpenCV 5.0 agrees",
        )
        for name, count, kind in (
            ("RGB", 3, RGB),
            ("grey and alpha", 2, GREY_ALPHA),
            ("RGBA", 4, RGBA),
        )
    ),
    OddFilm(
        "PNG with gAMA 1.0",
        linear_png,
        "PNG (W3C) 11.3.2.2, 13.13",
        "Chromium agrees; Pillow 13.0 and OpenCV 5.0 leave it to their caller",
        tolerance=3 / 255,
        lossy=True,
    ),
    OddFilm("TIFF", lambda: saved(plain_pixels(8), "TIFF"), "TIFF 6.0", "all agree"),
    OddFilm(
        "TIFF of 16 bits in which white is 0",
        lambda: saved(65_535 - plain_pixels(16), "TIFF", tiffinfo={262: 0}),
        "TIFF 6.0, PhotometricInterpretation",
        "Pillow 13.0 does not invert 16 bits, as it does 8",
    ),
    OddFilm(
        "JPEG 2000 file of 16 bits", lambda: saved(plain_pixels(16), "JPEG2000"), "ISO/IEC 15444-1"
    ),
    OddFilm(
        "JPEG with components named R, G and B",
        jpeg_named_rgb,
        "ITU-T T.81 B.2.2: names are free",
        "GDCM 3.2.6, DCMTK 3.6.7 and OpenCV 5.0 agree; pydicom 3.0.2 with Pillow calls it broken",
        tolerance=2 / 255,
        lossy=True,
    ),
    OddFilm(
        "Pixel Spacing 2 : 1",
        lambda: half(PixelSpacing=["0.4", "0.2"]),
        "PS3.3 10.7.1.3",
        "dcm2pnm 3.6.7 +Sxv agrees",
        repeated,
    ),
    OddFilm(
        "Pixel Aspect Ratio 2 : 1",
        lambda: half(PixelAspectRatio=["2", "1"]),
        "PS3.3 C.7.6.3.1.7",
        "dcm2pnm 3.6.7 +Sxv agrees",
        repeated,
    ),
    OddFilm(
        "Patient Orientation R\\F",
        lambda: film(np.ascontiguousarray(plain_pixels()[:, ::-1]), PatientOrientation=["R", "F"]),
        "PS3.3 C.7.6.1.1.1",
        "dcm2pnm 3.6.7 and pydicom 3.0.2 turn nothing",
    ),
    OddFilm(
        "JPEG file of 12 bits",
        lambda: JPEG_OF_12_BITS,
        "ITU-T T.81, process 4",
        refusal="JPEG file of 12 bits",
    ),
    OddFilm(
        "lossless JPEG file",
        lambda: LOSSLESS_JPEG,
        "ITU-T T.81, process 14",
        refusal="lossless JPEG file",
    ),
    OddFilm(
        "Pixel Data Provider URL",
        lambda: film(PixelData=None, PixelDataProviderURL="https://pacs/frames"),
        "PS3.3 C.7.6.3",
        refusal="Pixel Data Provider URL",
    ),
    OddFilm(
        "header without Pixel Data",
        lambda: film(PixelData=None),
        "PS3.3 C.7.6.3",
        refusal="no Pixel Data",
    ),
)
