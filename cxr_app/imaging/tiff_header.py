"""What a TIFF file declares, read without decoding it."""

import struct
from dataclasses import dataclass

_COLUMNS, _ROWS, _SAMPLE_FORMAT = 256, 257, 339
_FLOATING = 3
_MOST_TAGS = 4_096


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """Size of the first page, and whether its values are floating-point numbers."""

    rows: int
    columns: int
    is_floating: bool


def tiff_header(data: bytes) -> TiffHeader | None:
    """Read what the first page declares; None if the file ends before that.

    References
    ----------
    TIFF 6.0, section 2; BigTIFF has counts and offsets of 8 bytes.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    found: dict[int, int] = {}
    try:
        if is_big:
            (start,) = struct.unpack_from(f"{order}Q", data, 8)
            (count,) = struct.unpack_from(f"{order}Q", data, start)
            start, step = start + 8, 20
        else:
            (start,) = struct.unpack_from(f"{order}I", data, 4)
            (count,) = struct.unpack_from(f"{order}H", data, start)
            start, step = start + 2, 12
        for place in range(start, start + step * min(count, _MOST_TAGS), step):
            tag, kind = struct.unpack_from(f"{order}HH", data, place)
            if tag in (_COLUMNS, _ROWS, _SAMPLE_FORMAT):
                form = {3: "H", 4: "I", 16: "Q"}.get(kind, "I")
                at = place + (12 if is_big else 8)
                (found[tag],) = struct.unpack_from(f"{order}{form}", data, at)
    except struct.error:
        return None
    if _ROWS not in found or _COLUMNS not in found:
        return None
    return TiffHeader(found[_ROWS], found[_COLUMNS], found.get(_SAMPLE_FORMAT) == _FLOATING)
