"""Heat is counted where it lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.lungs import two_lungs
from training.explain.heat_places import heat_in_lungs


def test_heat_all_over_the_film_has_the_lungs_share() -> None:
    found = heat_in_lungs(np.ones((28, 28), np.float32), two_lungs())
    assert found is not None
    assert found.share_of_heat == pytest.approx(found.share_of_film)


@given(row=st.integers(6, 21), column=st.integers(0, 27))
def test_a_spot_counts_where_it_is(row: int, column: int) -> None:
    heat = np.zeros((28, 28), np.float32)
    heat[row, column] = 1
    lungs = two_lungs()
    inside = lungs.mask[int((row + 0.5) * 96 / 28), int((column + 0.5) * 96 / 28)]
    found = heat_in_lungs(heat, lungs)
    assert found is not None
    assert found.peak == inside
    if 6 < column < 9:  # in the middle of a lung
        assert found.share_of_heat > 0.9


def test_without_heat_or_lungs_there_is_nothing_to_say() -> None:
    heat = np.ones((28, 28), np.float32)
    assert heat_in_lungs(0 * heat, two_lungs()) is None
    assert heat_in_lungs(heat, two_lungs(found=False)) is None
    assert heat_in_lungs(heat, None) is None
