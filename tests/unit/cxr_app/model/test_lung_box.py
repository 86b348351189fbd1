"""The box around the lungs holds them, stays within the film, and moves as little as they do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cxr_app.model.lung_box import WHOLE_FILM, Box, box_of
from cxr_app.model.lung_finder import find_lungs

SIDE = 96


def lungs(
    left: float = 10.0, right: float = 58.0, top: float = 14.0, height: float = 60.0
) -> NDArray[np.float32]:
    """Draw two ellipses 26 wide with soft outlines, as probabilities of lung."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    distance = [
        np.hypot((columns - (start + 13)) / 13, (rows - (top + height / 2)) / (height / 2))
        for start in (left, right)
    ]
    steep = 6 * (1 - np.minimum(*distance))
    drawn: NDArray[np.float32] = (1 / (1 + np.exp(-steep))).astype(np.float32)
    return drawn


def box(probability: NDArray[np.float32]) -> Box:
    return box_of(probability, find_lungs(probability))


@given(
    left=st.floats(4, 14), right=st.floats(46, 66), top=st.floats(6, 24), height=st.floats(50, 64)
)
def test_it_holds_both_lungs_within_the_film(
    left: float, right: float, top: float, height: float
) -> None:
    x0, y0, x1, y1 = (edge * SIDE for edge in box(lungs(left, right, top, height)))
    assert 0 <= x0 <= left < right + 26 <= x1 <= SIDE or x1 == SIDE
    assert 0 <= y0 <= top < top + height <= y1 <= SIDE or y1 == SIDE


@given(part=st.floats(0, 1))
def test_it_moves_by_parts_of_a_pixel(part: float) -> None:
    moved = np.subtract(box(lungs(10 + part, 58 + part)), box(lungs()))
    assert moved[[0, 2]] * SIDE == pytest.approx([part, part], abs=0.06)
    assert moved[[1, 3]] == pytest.approx([0, 0], abs=0.005)


@given(seed=st.integers(0, 2**16))
def test_noise_of_the_lung_network_hardly_moves_it(seed: int) -> None:
    """An outline's own box moves by a whole pixel as soon as one pixel crosses the half."""
    drawn = lungs()
    noise = np.random.default_rng(seed).uniform(-0.03, 0.03, drawn.shape)
    noisy = np.clip(drawn + noise, 0, 1).astype(np.float32)
    assert np.abs(np.subtract(box(noisy), box(drawn))).max() * SIDE < 0.6


def test_without_two_lungs_it_is_the_whole_film() -> None:
    assert box(np.zeros((SIDE, SIDE), np.float32)) == WHOLE_FILM


def test_lungs_at_the_edges_have_no_margin_beyond_the_film() -> None:
    drawn = np.zeros((SIDE, SIDE), np.float32)
    drawn[:, :40] = drawn[:, 56:] = 1
    assert box(drawn) == WHOLE_FILM
