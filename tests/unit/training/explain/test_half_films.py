"""Heat is found in the half that has it, in films that were put together."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.explain.cams import Explained, Explainer
from training.explain.half_films import HeatInHalf, heat_in_half, heat_in_halves, put_together

SIDE = 32


class BrightSpots:
    """Explains a film by its brightest cells."""

    def explain(self, inputs: Sequence[NDArray[np.float32]]) -> Explained:
        cells = [film.reshape(4, SIDE // 4, 4, SIDE // 4).mean(axis=(1, 3)) for film in inputs]
        return Explained(np.ones(len(inputs)), np.stack(cells))

    def heat(self, evidence: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.clip(evidence - 5, 0, 1)


def film(*spots: tuple[int, int]) -> NDArray[np.float32]:
    """Draw a film with bright cells, of mean and spread as the network's input has them."""
    drawn = np.random.default_rng(0).normal(0, 0.1, (SIDE, SIDE)).astype(np.float32)
    for row, column in spots:
        drawn[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] += 9
    return drawn


def measured(sick: NDArray[np.float32], clear: NDArray[np.float32]) -> Any:
    return heat_in_halves(cast(Explainer, BrightSpots()), sick, clear)


def test_heat_that_follows_the_disease_lies_in_its_half() -> None:
    both = [HeatInHalf(share=1.0, peak=True)] * 2
    assert measured(film((1, 0), (2, 3)), film()) == {
        "left or right": both,
        "upper or lower": both,
    }


def test_a_half_without_heat_is_not_counted() -> None:
    alone = HeatInHalf(1.0, True)
    assert measured(film((1, 0)), film()) == {
        "left or right": [alone, None],
        "upper or lower": [alone, None],
    }
    assert measured(film((3, 2)), film()) == {
        "left or right": [None, alone],
        "upper or lower": [None, alone],
    }


def test_heat_of_the_other_patient_counts_against_the_map() -> None:
    found = measured(film((1, 0), (2, 3)), film((1, 0), (2, 3)))
    for half in (half for both in found.values() for half in both):
        assert half.share == pytest.approx(0.5, abs=0.01)


@given(brightness=st.floats(-3, 3), contrast=st.floats(0.1, 10))
def test_no_step_in_brightness_tells_the_halves_apart(brightness: float, contrast: float) -> None:
    sick = film((1, 0), (2, 3))
    left, right = put_together(sick, contrast * film((0, 1), (3, 2)) + np.float32(brightness))
    for each, own in ((left, np.s_[:, : SIDE // 2]), (right, np.s_[:, SIDE // 2 :])):
        assert each.dtype == np.float32
        np.testing.assert_array_equal(each[own], sick[own])
    other = np.concatenate([right[:, : SIDE // 2], left[:, SIDE // 2 :]], axis=1)
    assert other.mean() == pytest.approx(sick.mean(), abs=1e-3)
    assert other.std() == pytest.approx(sick.std(), abs=1e-3)


def test_a_film_of_one_grey_can_be_a_partner() -> None:
    for each in put_together(film((1, 0)), np.zeros((SIDE, SIDE), np.float32)):
        assert np.isfinite(each).all()


@given(columns=st.integers(1, 9))
def test_even_heat_is_half_in_each_half(columns: int) -> None:
    found = heat_in_half(np.ones((3, columns), np.float32))
    assert found is not None
    assert found.share == pytest.approx(0.5)
