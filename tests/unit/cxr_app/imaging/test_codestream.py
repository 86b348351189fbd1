"""Sizes read from the first bytes are those of the decoded images."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cxr_app.imaging.codestream import CodestreamSize, codestream_size


@pytest.mark.parametrize(
    ("file_format", "halvings", "options"),
    [
        ("JPEG", 0, {}),
        ("JPEG", 0, {"progressive": True}),
        ("JPEG2000", 2, {"num_resolutions": 3}),
        ("JPEG2000", 0, {"num_resolutions": 1}),
        ("JPEG2000", 3, {"num_resolutions": 4, "no_jp2": 1}),
        ("JPEG2000", 0, {"num_resolutions": 4, "no_jp2": 1, "signed": True}),
    ],
)
def test_size_is_read_from_the_header(
    file_format: str, halvings: int, options: dict[str, object]
) -> None:
    buffer = BytesIO()
    PillowImage.new("L", (30, 20)).save(buffer, file_format, **options)
    expected = CodestreamSize(20, 30, 8, 1, halvings)
    assert codestream_size(buffer.getvalue()) == expected


def test_colour_image_is_not_halved() -> None:
    buffer = BytesIO()
    PillowImage.new("RGB", (30, 20)).save(buffer, "JPEG2000", num_resolutions=4, no_jp2=1)
    assert codestream_size(buffer.getvalue()) == CodestreamSize(20, 30, 8, 3, 0)


def test_image_with_an_offset_is_not_halved() -> None:
    buffer = BytesIO()
    PillowImage.new("L", (34, 24)).save(buffer, "JPEG2000", num_resolutions=4, no_jp2=1)
    data = buffer.getvalue()
    moved = data[:16] + (4).to_bytes(4, "big") * 2 + data[24:]  # XOsiz, YOsiz
    assert codestream_size(moved) == CodestreamSize(20, 30, 8)


def test_jpeg_2000_without_coding_style_is_not_halved() -> None:
    buffer = BytesIO()
    PillowImage.new("L", (30, 20)).save(buffer, "JPEG2000", num_resolutions=4, no_jp2=1)
    data = buffer.getvalue()
    for damaged in (data.replace(b"\xff\x52", b"\xff\x90"), data[: data.index(b"\xff\x52") + 6]):
        assert codestream_size(damaged) == CodestreamSize(20, 30, 8)


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51"]))
def test_any_bytes_have_a_size_or_none(data: bytes, start: bytes) -> None:
    size = codestream_size(start + data)
    assert size is None or (size.rows >= 0 and size.columns >= 0)


def test_jpeg_without_frame_has_no_size() -> None:
    assert codestream_size(b"\xff\xd8\xff\xff\xd0\x00\xff\xda\x00\x08" + bytes(20)) is None
