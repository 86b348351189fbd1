"""Shape, range and read-only arrays of a film."""

from typing import Any

import numpy as np
import pytest

from cxr_app.radiograph import Radiograph, Softcopy, Window

FULL = Window("Full range", 0.5, 1)
SHA256 = "0" * 64


def test_a_film_has_the_size_of_its_image() -> None:
    radiograph = Radiograph(np.zeros((3, 5), np.float32), SHA256, "PNG")
    assert (radiograph.rows, radiograph.columns) == (3, 5)


def test_the_image_is_read_only() -> None:
    radiograph = Radiograph(np.zeros((3, 5), np.float32), SHA256, "PNG")
    with pytest.raises(ValueError, match="read-only"):
        radiograph.image[0, 0] = 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 5, 1), np.float32), "shape \\(rows, columns\\)"),
        (np.zeros((0, 5), np.float32), "shape \\(rows, columns\\)"),
        (np.zeros((3, 5)), "float32"),
        (np.full((3, 5), 1.5, np.float32), "\\[0, 1\\]"),
        (np.full((3, 5), -0.5, np.float32), "\\[0, 1\\]"),
        (np.full((3, 5), np.nan, np.float32), "\\[0, 1\\]"),
    ],
)
def test_an_image_of_another_shape_type_or_range_is_refused(image: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Radiograph(image, SHA256, "PNG")


def test_the_values_of_a_softcopy_are_read_only() -> None:
    softcopy = Softcopy(np.zeros((3, 5), np.uint16), 0, 1, (FULL,))
    with pytest.raises(ValueError, match="read-only"):
        softcopy.values[0, 0] = 1


def test_a_softcopy_needs_16_bit_values() -> None:
    with pytest.raises(ValueError, match="values must be uint16"):
        Softcopy(np.zeros((3, 5), np.uint8), 0, 1, (FULL,))


def test_a_softcopy_needs_a_window() -> None:
    with pytest.raises(ValueError, match="at least one window"):
        Softcopy(np.zeros((3, 5), np.uint16), 0, 1)
