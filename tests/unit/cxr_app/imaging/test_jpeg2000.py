"""A lower resolution of JPEG 2000 is a smaller film with the same grey values."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from PIL import Image as PillowImage

from cxr_app.errors import DAMAGE
from cxr_app.imaging.codestream import codestream_size
from cxr_app.imaging.jpeg2000 import decode_reduced
from tests.support.factories import Pixels, film_pixels

LEVELS = 5


def encoded(pixels: Pixels, **options: object) -> bytes:
    buffer = BytesIO()
    options = {"no_jp2": True, "num_resolutions": LEVELS + 1} | options
    PillowImage.fromarray(pixels).save(buffer, "JPEG2000", **options)
    return buffer.getvalue()


@settings(max_examples=40)
@given(
    rows=st.integers(60, 140),
    columns=st.integers(60, 140),
    halvings=st.integers(1, 3),
    bits=st.sampled_from([8, 16]),
    options=st.sampled_from(
        [{}, {"irreversible": True}, {"tile_size": (64, 64)}, {"progression": "RPCL"}]
    ),
)
def test_sides_are_halved_and_rounded_up(
    rows: int, columns: int, halvings: int, bits: int, options: dict[str, object]
) -> None:
    pixels = film_pixels(rows, columns, bits=bits)
    reduced = decode_reduced(encoded(pixels, **options), halvings)
    step = 2**halvings
    assert reduced.shape == (-(-rows // step), -(-columns // step))
    assert reduced.dtype == pixels.dtype
    assert abs(reduced.mean() - pixels.mean()) < 0.1 * 2**bits


@pytest.mark.parametrize("shape", [(160, 120), (157, 117), (158, 119)])
@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_reduced_film_is_not_shifted(shape: tuple[int, int], halvings: int) -> None:
    slope = np.rint(300.0 * np.arange(shape[1]) + np.zeros(shape)).astype(np.uint16)
    for turned in (slope, slope.T):
        reduced = decode_reduced(encoded(turned), halvings)
        reduced = reduced if turned is slope else reduced.T
        columns = reduced.shape[1]
        middles = (np.arange(columns) + 0.5) * shape[1] / columns - 0.5
        moved = (reduced / 300 - middles) / 2**halvings
        assert np.abs(moved[:, 1:-1]).max() < 0.1


@pytest.mark.parametrize("bits", [5, 8, 10, 12, 16])
def test_grey_values_keep_their_scale(bits: int) -> None:
    pixels = np.full((64, 48), 2**bits - 3, np.uint8 if bits <= 8 else np.uint16)
    codestream = encode_array(pixels, bits_stored=bits, photometric_interpretation=2)
    assert codestream_size(codestream).precision == bits  # type: ignore[union-attr]
    assert (decode_reduced(codestream, 2) == 2**bits - 3).all()


def test_too_many_halvings_are_an_error() -> None:
    codestream = encoded(film_pixels(64, 48, bits=8), num_resolutions=2)
    size = codestream_size(codestream)
    assert size is not None
    assert size.halvings == 1
    assert decode_reduced(codestream, 1).shape == (32, 24)
    with pytest.raises(DAMAGE):
        decode_reduced(codestream, 2)


def test_content_without_codestream_is_an_error() -> None:
    with pytest.raises(ValueError, match="codestream cannot be reduced"):
        decode_reduced(b"no film at all", 1)
