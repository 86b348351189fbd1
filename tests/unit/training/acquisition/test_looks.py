import numpy as np
import pytest
from scipy import ndimage

from tests.support.machines import of_machine, plain
from training.acquisition.fingerprint import SIDE
from training.acquisition.looks import (
    look_of,
    restyle,
    tone_curve,
    with_letters,
    with_margins,
    with_sharpness,
    without_letters,
)
from training.acquisition.shifts import SHIFTS, blurred, cropped, with_gamma


def spine(film: np.ndarray) -> float:
    return float(np.median(film[60:140, 104:120]))


@pytest.mark.parametrize("seed", range(4))
def test_a_film_in_its_own_look_stays_as_it_is(seed: int) -> None:
    film = of_machine(seed)
    look = look_of(film)

    again = restyle(film, look, look)

    assert np.abs(again.astype(int) - film).mean() < 3


def test_restyling_brings_the_tone_and_the_letters_of_the_other_film() -> None:
    film, other = plain(5), of_machine(6)
    before = film.copy()

    changed = restyle(film, look_of(film), look_of(other))

    assert changed.shape == film.shape
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(film, before)
    assert abs(spine(changed) - spine(other)) < abs(spine(film) - spine(other))
    letters = look_of(other).letters
    assert np.sum((letters // SIDE > 200) & (letters % SIDE > 180)) > 50
    assert (changed.ravel()[letters] >= other.ravel()[letters]).all()


def test_a_films_own_letters_go_with_its_look() -> None:
    film = of_machine(7)

    plain_film = without_letters(film, look_of(film))

    assert film[202:, 182:].max() > 200
    assert np.mean(plain_film[202:, 182:] > 150) < 0.2 * np.mean(film[202:, 182:] > 150)


def test_a_film_without_letters_pastes_none() -> None:
    film = np.full((SIDE, SIDE), 90, dtype=np.uint8)

    np.testing.assert_array_equal(with_letters(film, look_of(film)), film)


@pytest.mark.parametrize(("here", "there"), [(0, 1), (2, 9), (4, 3)])
def test_a_tone_curve_never_decreases(here: int, there: int) -> None:
    curve = tone_curve(look_of(plain(here)), look_of(of_machine(there)))

    assert curve.shape == (256,)
    assert (np.diff(curve.astype(int)) >= 0).all()


def test_sharpness_follows_the_other_film_both_ways() -> None:
    sharp = plain(8)
    soft = ndimage.gaussian_filter(sharp, 1.2)
    looks = look_of(sharp), look_of(soft)

    def detail(film: np.ndarray) -> float:
        return float(np.abs(np.diff(film.astype(int), axis=1)).mean())

    assert detail(with_sharpness(sharp, *looks)) < 0.9 * detail(sharp)
    assert detail(with_sharpness(soft, *reversed(looks))) > 1.1 * detail(soft)


def test_collimation_hides_at_most_a_tenth_of_each_side() -> None:
    narrow = np.full((SIDE, SIDE), 120, dtype=np.uint8)
    narrow[:, :60] = 0
    film = np.full((SIDE, SIDE), 200, dtype=np.uint8)

    framed = with_margins(film, look_of(narrow))

    assert (framed[:, :22] < 24).all()
    assert (framed[:, 22:] == 200).all()


@pytest.mark.parametrize("name", list(SHIFTS))
@pytest.mark.parametrize("shape", [(224, 224), (300, 412)])
def test_a_shifted_film_is_still_a_film(name: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    before = image.copy()

    shifted = SHIFTS[name](image)

    assert shifted.dtype == np.float32
    assert 0 <= shifted.min() <= shifted.max() <= 1
    assert shifted.shape == shape or name.startswith("border crop")
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(shifted, SHIFTS[name](image))


def test_a_stronger_blur_changes_more_and_gamma_1_nothing() -> None:
    image = plain(1).astype(np.float32) / np.float32(255)
    changes = [np.abs(blurred(image, pixels=pixels) - image).mean() for pixels in (0.5, 1, 1.5)]

    assert changes == sorted(changes)
    np.testing.assert_array_equal(with_gamma(image, gamma=1.0), image)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((300, 300), (300, 300)),  # squeezed: stays square
        ((300, 360), (240, 360)),
        ((300, 600), (300, 600)),  # wider already
        ((300, 200), (224, 200)),  # at most a quarter is lost
    ],
)
def test_a_crop_ends_at_its_aspect(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)

    assert cropped(image, aspect=1.5).shape == expected
