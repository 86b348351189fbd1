"""The film keeps its promises: shape, range, read-only."""

from typing import Any

import numpy as np
import pytest

from cxr_app.radiograph import Radiograph, Softcopy, Window

FULL = Window("Full range", 0.5, 1)
SHA256 = "0" * 64


def test_film_knows_its_size() -> None:
    radiograph = Radiograph(np.zeros((3, 5), np.float32), SHA256, "PNG")
    assert (radiograph.rows, radiograph.columns) == (3, 5)


def test_image_is_read_only() -> None:
    radiograph = Radiograph(np.zeros((3, 5), np.float32), SHA256, "PNG")
    with pytest.raises(ValueError, match="read-only"):
        radiograph.image[0, 0] = 1


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((3, 5, 1), np.float32), "shape \\(rows, columns\\)"),
        (np.zeros((0, 5), np.float32), "shape \\(rows, columns\\)"),
        (np.zeros((3, 5)), "float32"),
        (np.full((3, 5), 1.5, np.float32), "\\[0, 1\\]"),
        (np.full((3, 5), -0.5, np.float32), "\\[0, 1\\]"),
        (np.full((3, 5), np.nan, np.float32), "\\[0, 1\\]"),
    ],
)
def test_image_of_another_kind_is_refused(image: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Radiograph(image, SHA256, "PNG")


def test_softcopy_is_read_only() -> None:
    softcopy = Softcopy(np.zeros((3, 5), np.uint16), 0, 1, (FULL,))
    with pytest.raises(ValueError, match="read-only"):
        softcopy.values[0, 0] = 1


def test_softcopy_needs_16_bit_values() -> None:
    with pytest.raises(ValueError, match="values must be uint16"):
        Softcopy(np.zeros((3, 5), np.uint8), 0, 1, (FULL,))


def test_softcopy_needs_a_window() -> None:
    with pytest.raises(ValueError, match="at least one window"):
        Softcopy(np.zeros((3, 5), np.uint16), 0, 1)
