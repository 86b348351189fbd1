"""Each film of a batch gets the look that was drawn for it, and no other film's."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unit.training.fit.crop_training.lessons import lesson_data
from training.fit.crop_training import foreign_looks
from training.fit.crop_training.foreign_looks import QUANTILES, RINGS, SHADING_SIDE, put_on

FILMS, SIDE = 6, 48

Change = Callable[[Tensor, Tensor, Tensor], Tensor]


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)))


GREYS = drawn(FILMS, SIDE, SIDE)
SHARES = 0.2 + 0.8 * drawn(FILMS)
TONES = drawn(FILMS, QUANTILES).sort(dim=1).values


@pytest.mark.parametrize(
    ("change", "looked_at"),
    [
        (foreign_looks._with_tone, TONES),
        (foreign_looks._with_sharpness, drawn(FILMS, RINGS) - 0.5),
        (foreign_looks._with_shading, drawn(FILMS, SHADING_SIDE, SHADING_SIDE) - 0.5),
    ],
)
def test_a_film_is_changed_as_if_it_were_alone(change: Change, looked_at: Tensor) -> None:
    together = change(GREYS, looked_at, SHARES)
    for place in range(FILMS):
        own = slice(place, place + 1)
        alone = change(GREYS[own], looked_at[own], SHARES[own])
        assert torch.allclose(alone[0], together[place], atol=1e-5)
        assert (together[place] - GREYS[place]).abs().max() > 0.01


def test_the_whole_tone_of_another_film_has_its_quantiles() -> None:
    toned = foreign_looks._with_tone(GREYS, TONES, torch.ones(FILMS))
    levels = torch.linspace(0, 1, QUANTILES)
    found = torch.quantile(toned[:, ::3, ::3].flatten(1), levels, dim=1).T
    assert torch.allclose(found, TONES, atol=0.02)


def test_a_film_of_one_grey_stays_a_film() -> None:
    flat = torch.full((FILMS, SIDE, SIDE), 0.5)
    assert foreign_looks._with_tone(flat, TONES, SHARES).isfinite().all()


def test_sharpness_leaves_the_mean_of_a_film() -> None:
    changed = foreign_looks._with_sharpness(GREYS, drawn(FILMS, RINGS), SHARES)
    assert torch.allclose(changed.mean(dim=(1, 2)), GREYS.mean(dim=(1, 2)), atol=1e-5)


def test_looks_are_put_on_some_films_and_stay_within_the_greys() -> None:
    data = lesson_data()
    crops = drawn(FILMS, 1, SIDE, SIDE)
    generator = torch.Generator().manual_seed(0)
    films, models = np.arange(FILMS), np.arange(FILMS, 2 * FILMS)
    changed = put_on(crops, films, models, data.looks, generator)
    assert 0 <= changed.min() <= changed.max() <= 1
    assert (changed != crops).any()
    own = put_on(crops[:1], films[:1], films[:1] + 2, data.looks, generator)  # of its own group
    assert own.shape == crops[:1].shape
