"""Drawn lateral films: one size, all different, facing either way, reproducible by seed."""

import numpy as np
import pytest

from training.drawing import laterals

SIDE = 96


@pytest.mark.parametrize("seed", range(8))
def test_film_is_grey_and_neither_blank_nor_cut_off(seed: int) -> None:
    film = laterals.draw_lateral(np.random.default_rng(seed), SIDE)
    assert film.shape == (SIDE, SIDE)
    assert film.dtype == np.uint8
    assert film.std() > 15
    assert np.isin(film, (0, 255)).mean() < 0.5


def test_the_same_seed_draws_the_same_film_and_another_a_different_one() -> None:
    one, again, other = (
        laterals.draw_lateral(np.random.default_rng(seed), SIDE) for seed in (1, 1, 2)
    )
    assert (one == again).all()
    assert (one != other).mean() > 0.5


def test_back_and_front_differ_and_patients_face_both_ways() -> None:
    """The bright spine is on one side: unlike a frontal film, a lateral one has no middle."""
    films = [laterals.draw_lateral(np.random.default_rng(seed), SIDE) for seed in range(30)]
    heights = slice(SIDE // 3, SIDE * 3 // 5)
    leaning = [
        float(film[heights, : SIDE // 2].mean()) - float(film[heights, SIDE // 2 :].mean())
        for film in films
    ]
    assert min(leaning) < -5
    assert max(leaning) > 5
