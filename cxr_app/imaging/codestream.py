"""The size that a compressed image declares in its first bytes, read without decoding it.

Covers the JPEG family (JPEG, lossless JPEG, JPEG-LS) and JPEG 2000, in any file format.
"""

import struct
from dataclasses import dataclass, field

from cxr_app.errors import FilmTooLargeError, PixelDataError
from cxr_app.imaging.limits import MAX_PIXELS, MAX_SAMPLES

_STANDALONE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0-7, SOI
_NOT_A_FRAME = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC
_FRAME_MARKERS = (set(range(0xC0, 0xD0)) - _NOT_A_FRAME) | {0xF7}  # SOF0-15, SOF55 of JPEG-LS
_START_OF_SCAN = 0xDA
_CODING_STYLE = 0x52  # COD of JPEG 2000
_START_OF_TILE = 0x90
_MOST_HALVINGS = 32


@dataclass(frozen=True, slots=True)
class CodestreamSize:
    """Size of the decoded image; `precision` is in bits a sample, `samples` is per pixel.

    A decoder can halve the sides of a grey, unsigned JPEG 2000 image up to `halvings` times by
    leaving out its finer wavelet levels. `process` is the frame marker of a JPEG (ITU-T T.81,
    B.1.1.3).
    """

    rows: int
    columns: int
    precision: int
    samples: int = 1
    halvings: int = 0
    process: int = field(default=0, compare=False)


def check_size(rows: int, columns: int, samples: int = 1) -> None:
    """Refuse a declared size before any of its pixels are decoded.

    Raises
    ------
    PixelDataError
        If it holds no pixels.
    FilmTooLargeError
        If it holds more than `MAX_PIXELS`, or more samples a pixel than any picture has.
    """
    if rows < 1 or columns < 1:
        raise PixelDataError(
            f"The image has no pixels ({rows} × {columns}): export the film again."
        )
    if rows * columns > MAX_PIXELS:
        raise FilmTooLargeError(
            f"The image has {rows} × {columns} pixels, more than the {MAX_PIXELS // 10**6} "
            "million allowed. Export it smaller."
        )
    if samples > MAX_SAMPLES:
        raise FilmTooLargeError(
            f"The image has {samples} values a pixel, more than the {MAX_SAMPLES} of any picture. "
            "Export the original film."
        )


def codestream_size(data: bytes) -> CodestreamSize | None:
    """Read the declared size of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Returns None if `data` is none of them, or ends before its size.

    References
    ----------
    ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1 and A.6.1.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    boxes = data.find(b"jp2c") if data[4:8] == b"jP  " else 0  # a JP2 file has boxes before it
    start = data.find(b"\xff\x4f\xff\x51", boxes, max(boxes, 0) + 1024)  # SOC, SIZ
    return _jpeg_2000_size(data, start) if start >= 0 and boxes >= 0 else None


def _jpeg_size(data: bytes) -> CodestreamSize | None:
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            position += 1
            continue
        marker = data[position + 1]
        if marker in _FRAME_MARKERS:
            if position + 10 > len(data):
                return None
            found = struct.unpack_from(">BHHB", data, position + 4)
            precision, rows, columns, samples = found
            return CodestreamSize(rows, columns, precision, samples, process=marker)
        if marker == _START_OF_SCAN:
            return None
        if marker in _STANDALONE_MARKERS or marker in (0x00, 0xFF):
            position += 1 if marker == 0xFF else 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _jpeg_2000_size(data: bytes, start: int) -> CodestreamSize | None:
    if len(data) < start + 43:
        return None
    width, height, left, top = struct.unpack_from(">IIII", data, start + 8)
    samples, precision = struct.unpack_from(">HB", data, start + 40)
    size = max(0, height - top), max(0, width - left)
    halvings = 0
    if samples == 1 and precision < 0x80 and not (left or top):
        halvings = _wavelet_levels(data, start)
    return CodestreamSize(*size, (precision & 0x7F) + 1, samples, halvings)


def _wavelet_levels(data: bytes, start: int) -> int:
    """Read the number of levels from the main header; 0 if it is missing or illegal."""
    position = start + 2
    while position + 10 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == _CODING_STYLE:
            levels = data[position + 9]
            return levels if levels <= _MOST_HALVINGS else 0
        if marker == _START_OF_TILE:
            return 0
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return 0


def count_scans(data: bytes) -> int:
    """Count the scans of a JPEG file; coded data cannot contain the marker of a scan."""
    return data.count(bytes([0xFF, _START_OF_SCAN]))
