"""Sizes read from the first bytes agree with what the decoders unfold."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cxr_app.codestream import CodestreamSize, codestream_size


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG2000", {}), ("JPEG2000", {"no_jp2": 1})],
)
def test_size_is_read_from_the_header(file_format: str, options: dict[str, object]) -> None:
    buffer = BytesIO()
    PillowImage.new("L", (30, 20)).save(buffer, file_format, **options)
    assert codestream_size(buffer.getvalue()) == CodestreamSize(20, 30, 8)


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51"]))
def test_any_bytes_have_a_size_or_none(data: bytes, start: bytes) -> None:
    size = codestream_size(start + data)
    assert size is None or (size.rows >= 0 and size.columns >= 0)


def test_jpeg_without_frame_has_no_size() -> None:
    assert codestream_size(b"\xff\xd8\xff\xff\xd0\x00\xff\xda\x00\x08" + bytes(20)) is None
