"""Pictures that are not chest films: one size, all different, reproducible by seed."""

import numpy as np
import pytest

from training.drawing import negatives
from training.drawing.phantom_films import draw_phantom

FILMS = [
    np.rint(draw_phantom(seed, negatives.SIDE, negatives.SIDE) * 255).astype(np.uint8)
    for seed in range(3)
]


@pytest.mark.parametrize("make", negatives._DRAWINGS)
def test_drawing_is_a_grey_picture_with_something_on_it(make: negatives.Drawing) -> None:
    for seed in range(4):
        picture = make(np.random.default_rng(seed))
        assert picture.shape == (negatives.SIDE, negatives.SIDE)
        assert picture.dtype == np.uint8
        assert picture.std() > 1


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_of_films_differs_from_each_of_them(seed: int) -> None:
    picture = negatives.cut_picture(FILMS, np.random.default_rng(seed))
    assert picture.shape == FILMS[0].shape
    assert all((picture != film).mean() > 0.3 for film in FILMS)


def test_same_seed_draws_the_same() -> None:
    for make in (negatives.draw_picture, lambda rng: negatives.cut_picture(FILMS, rng)):
        one, other = (make(np.random.default_rng(5)) for _ in range(2))
        assert (one == other).all()


def test_a_crop_has_the_same_size_and_some_content() -> None:
    picture = negatives.crop(FILMS[0], np.random.default_rng(1))
    assert picture.shape == FILMS[0].shape
    assert picture.std() > 1
