"""Two lungs are found where they are, and nothing is taken for lungs that is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_app.model.lung_finder import find_lungs

SIDE = 96


def drawn(*boxes: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Draw rectangles, ``left, top, right, bottom``, as probabilities of lung."""
    film = np.zeros((SIDE, SIDE), np.float32)
    for left, top, right, bottom in boxes:
        film[top:bottom, left:right] = 0.9
    return film


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [(10, 10, 30, 80)],  # one lung
        [(10, 10, 40, 80), (60, 10, 63, 14)],  # the other far too small
        [(10, 5, 40, 35), (60, 60, 90, 92)],  # not beside one another
        [(20, 5, 60, 40), (20, 50, 60, 90)],  # one above the other
    ],
)
def test_anything_else_is_not_two_lungs(boxes: list[tuple[int, int, int, int]]) -> None:
    found = find_lungs(drawn(*boxes))
    assert not found.found


def test_two_lungs_that_touch_are_found() -> None:
    assert find_lungs(drawn((8, 10, 44, 80), (44, 40, 52, 50), (52, 10, 90, 80))).found


def test_specks_beside_the_lungs_are_left_out() -> None:
    found = find_lungs(drawn((10, 10, 40, 80), (56, 10, 88, 80), (2, 90, 5, 94)))
    assert found.found
    assert not found.mask[88:].any()


def test_a_lung_at_the_edge_is_cut_off_there() -> None:
    assert find_lungs(drawn((0, 20, 34, 80), (56, 20, 88, 80))).cut_off == ("left",)
    assert find_lungs(drawn((8, 20, 40, 96), (56, 20, 88, 96))).cut_off == ("bottom",)
