"""Two lungs are found where they are, and nothing is taken for lungs that is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

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


@given(st.integers(0, 10_000), st.floats(0.5, 6.0), st.floats(0.35, 0.6))
def test_the_mask_is_the_two_largest_pieces_without_holes(
    seed: int, coarseness: float, level: float
) -> None:
    """Of any map, also one whose pieces and holes lie at its border or within one another."""
    noise = np.random.default_rng(seed).random((SIDE, SIDE))
    smooth = ndimage.gaussian_filter(noise, coarseness)
    drawn_lungs = (smooth > np.quantile(smooth, level)).astype(np.float32)
    labels, count = ndimage.label(drawn_lungs > 0.5)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    largest = np.argsort(sizes)[::-1][:2] + 1
    expected = ndimage.binary_fill_holes(np.isin(labels, largest))
    np.testing.assert_array_equal(find_lungs(drawn_lungs).mask, expected)


@given(st.integers(2, 94), st.integers(2, 94))
def test_a_hole_is_filled_and_a_bay_is_not(row: int, column: int) -> None:
    film = np.full((SIDE, SIDE), 0.9, np.float32)
    film[row, column] = 0.1
    film[:5, 0] = 0.1
    mask = find_lungs(film).mask
    assert mask[row, column]
    assert not mask[:5, 0].any()
