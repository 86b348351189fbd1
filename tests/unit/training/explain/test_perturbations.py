import numpy as np
import pytest

from training.drawing.phantom_films import draw_phantom
from training.explain.body_mask import outside_body
from training.explain.perturbations import (
    DISTURBANCES,
    SHORTCUTS,
    compressed,
    mirrored,
    shifted,
    without_corners,
    without_letters,
    without_ring,
)

SIZE = 224


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    image = draw_phantom(3, 448, 560)
    image.flags.writeable = False
    return image


@pytest.mark.parametrize("name", [*SHORTCUTS, *DISTURBANCES])
def test_a_changed_film_is_still_a_film_and_the_original_is_unchanged(
    name: str, film: np.ndarray
) -> None:
    before = film.copy()

    changed = {**SHORTCUTS, **DISTURBANCES}[name](film, SIZE)

    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    np.testing.assert_array_equal(film, before)


def test_the_ring_is_removed_and_the_middle_is_not(film: np.ndarray) -> None:
    square = np.ascontiguousarray(film[:SIZE, :SIZE]).copy()
    framed = square.copy()
    framed[:5], framed[-5:], framed[:, :5], framed[:, -5:] = 1, 1, 0, 0

    np.testing.assert_array_equal(without_ring(framed, SIZE), without_ring(square, SIZE))
    np.testing.assert_array_equal(without_ring(square, SIZE)[9:-9, 9:-9], square[9:-9, 9:-9])


def test_writing_in_a_corner_is_removed() -> None:
    plain = np.full((SIZE, SIZE), 0.3, dtype=np.float32)
    written = plain.copy()
    written[5:25, 8:24], written[-20:-10, -20:-10] = 1.0, 1.0

    np.testing.assert_array_equal(without_corners(written, SIZE), plain)


def test_a_letter_beside_the_chest_is_removed_and_the_lungs_are_unchanged(film: np.ndarray) -> None:
    square = np.ascontiguousarray(film[:SIZE, :SIZE]).copy() * np.float32(0.6)
    written = square.copy()
    written[60:80:5, 20:34], written[60:80, 20:23] = 0.95, 0.95

    cleaned = without_letters(written, SIZE)

    assert cleaned[58:82, 18:36].max() < 0.9
    np.testing.assert_array_equal(cleaned[:, 56:-56], square[:, 56:-56])


def test_a_rib_is_as_bright_and_narrow_as_a_letter_but_longer() -> None:
    ribs = np.full((SIZE, SIZE), 0.3, dtype=np.float32)
    for top in (40, 80, 120):
        ribs[top : top + 4, 20:80] = 0.95

    np.testing.assert_array_equal(without_letters(ribs, SIZE), ribs)


def test_a_shift_moves_by_whole_pixels() -> None:
    image = np.random.default_rng(0).random((SIZE, SIZE), dtype=np.float32)

    moved = shifted(image, SIZE, rows=1, columns=-2)

    np.testing.assert_array_equal(moved[1:, :-2], image[:-1, 2:])


def test_mirroring_twice_changes_nothing(film: np.ndarray) -> None:
    np.testing.assert_array_equal(mirrored(mirrored(film, SIZE), SIZE), film)


def test_stronger_compression_changes_more(film: np.ndarray) -> None:
    differences = [
        np.abs(compressed(film, SIZE, quality=quality) - film).mean() for quality in (90, 75, 50)
    ]

    assert differences == sorted(differences)
    assert differences[-1] < 0.02


def test_the_air_beside_the_body_is_outside_and_the_lungs_are_not() -> None:
    image = np.full((300, 400), 0.02, dtype=np.float32)
    image[30:, 60:340] = 0.6  # the body
    image[90:220, 100:180], image[90:220, 220:300] = 0.05, 0.05  # the lungs

    empty = outside_body(image)

    assert empty[60, 5]
    assert empty[60, -5]
    assert not empty[60, 40:90].any()
    assert empty.mean() == pytest.approx(1 - 0.9 * 0.7, abs=0.04)
