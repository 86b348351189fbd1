from dataclasses import fields, replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.augmentation import Augmentation

UNCHANGED = Augmentation(
    rotation_degrees=0,
    shear_degrees=0,
    scale=0,
    aspect=0,
    translation=0,
    flip=0,
    gamma=0,
    contrast=0,
    brightness=0,
    sharpness=0,
    noise=0,
    erase=0,
)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), size=st.sampled_from([32, 64, 112]))
def test_an_augmented_film_has_the_range_and_shape_of_a_film(seed: int, size: int) -> None:
    films = torch.rand(3, 1, size, size, generator=torch.Generator().manual_seed(seed))

    augmented = Augmentation()(films, torch.Generator().manual_seed(seed))

    assert augmented.shape == films.shape
    assert augmented.min() >= 0
    assert augmented.max() <= 1
    assert torch.isfinite(augmented).all()
    assert not torch.equal(augmented, films)


def test_the_same_seed_gives_the_same_films() -> None:
    films = torch.rand(4, 1, 48, 48)

    first, second = (Augmentation()(films, torch.Generator().manual_seed(5)) for _ in range(2))

    assert torch.equal(first, second)


def test_nothing_is_changed_if_all_ranges_are_zero() -> None:
    films = torch.rand(4, 1, 48, 48).clamp(0.01, 0.99)

    assert torch.allclose(UNCHANGED(films, torch.Generator().manual_seed(0)), films, atol=1e-3)


def test_a_flip_mirrors_left_to_right() -> None:
    films = torch.zeros(1, 1, 32, 32)
    films[..., 10, 4] = 0.9
    mirror = Augmentation(
        **dict.fromkeys((each.name for each in fields(UNCHANGED)), 0.0) | {"flip": 1.0}
    )

    flipped = mirror(films, torch.Generator().manual_seed(0))

    assert flipped.argmax() == 10 * 32 + 27


def test_a_border_has_one_grey_value_and_spares_the_middle() -> None:
    films = torch.rand(64, 1, 48, 48).clamp(0.01, 0.99)
    framed = replace(UNCHANGED, border=0.5)(films, torch.Generator().manual_seed(0))

    changed = (framed - films).abs() > 1e-3
    assert not changed[..., 6:-6, 6:-6].any()
    assert 16 < changed.any(dim=(1, 2, 3)).sum() < 48
    for film in framed[changed[..., 0, 0].flatten()]:
        ring = torch.cat([film[0, 0], film[0, -1], film[0, :, 0], film[0, :, -1]])
        assert len(set(ring.tolist())) == 1
