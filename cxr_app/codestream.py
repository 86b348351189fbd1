"""The size that a compressed image says it has, read from its first bytes without unfolding it.

It knows the JPEG family (JPEG, lossless, JPEG-LS) and JPEG 2000, and nothing of who holds them.
"""

import struct
from dataclasses import dataclass

from cxr_app.errors import FilmTooLargeError, PixelDataError

_STANDALONE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0-7, SOI
_NOT_A_FRAME = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC
_FRAME_MARKERS = (set(range(0xC0, 0xD0)) - _NOT_A_FRAME) | {0xF7}  # SOF0-15, SOF55 of JPEG-LS
_START_OF_SCAN = 0xDA


@dataclass(frozen=True, slots=True)
class CodestreamSize:
    """What decoding would yield; `precision` is bits a sample."""

    rows: int
    columns: int
    precision: int


def check_size(rows: int, columns: int, max_pixels: int) -> None:
    """Refuse a declared size before anything of it is unfolded.

    Raises
    ------
    PixelDataError
        If it holds no pixels.
    FilmTooLargeError
        If it holds more than `max_pixels`.
    """
    if rows < 1 or columns < 1:
        raise PixelDataError(
            f"The image has no pixels ({rows} × {columns}): export the film again."
        )
    if rows * columns > max_pixels:
        raise FilmTooLargeError(
            f"The image has {rows} × {columns} pixels, more than the {max_pixels // 10**6} "
            "million allowed. Export it smaller."
        )


def codestream_size(data: bytes) -> CodestreamSize | None:
    """Read the declared size of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Returns None where `data` is none of them, or ends before it says its size.

    References
    ----------
    ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 1024)  # SOC, SIZ; a JP2 file has boxes before it
    return _jpeg_2000_size(data, start) if start >= 0 else None


def _jpeg_size(data: bytes) -> CodestreamSize | None:
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            position += 1
            continue
        marker = data[position + 1]
        if marker in _FRAME_MARKERS:
            precision, rows, columns = struct.unpack_from(">BHH", data, position + 4)
            return CodestreamSize(rows, columns, precision)
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
    precision = (data[start + 42] & 0x7F) + 1
    return CodestreamSize(max(0, height - top), max(0, width - left), precision)
