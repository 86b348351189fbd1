from collections.abc import Sequence

import numpy as np
import pytest

from training.explain.faithfulness import STEPS, area, baseline_maps, deletion_and_insertion

SIDE = 64


def film_with_patch() -> np.ndarray:
    film = np.zeros((SIDE, SIDE), dtype=np.float32)
    film[8:24, 40:56] = 1.0
    return film


def brightness(films: Sequence[np.ndarray]) -> np.ndarray:
    """A score that depends on the patch only."""
    return np.array([film[8:24, 40:56].mean() for film in films])


def test_a_true_map_beats_the_baselines() -> None:
    film, clear = film_with_patch(), np.zeros((SIDE, SIDE), dtype=np.float32)
    generator = np.random.default_rng(0)
    true = film.reshape(8, 8, 8, 8).mean(axis=(1, 3))
    maps = {"true": true, **baseline_maps((8, 8), generator)}

    areas = {
        name: [
            area(curve)
            for curve in deletion_and_insertion(brightness, film, clear, each, generator)
        ]
        for name, each in maps.items()
    }

    for baseline in ("random", "centred blob"):
        assert areas["true"][0] < areas[baseline][0] - 0.2
        assert areas["true"][1] > areas[baseline][1] + 0.2


def test_curves_lead_from_the_film_to_the_clear_one_and_back() -> None:
    film, clear = film_with_patch(), np.zeros((SIDE, SIDE), dtype=np.float32)
    flat = np.zeros((4, 4), dtype=np.float32)

    deletion, insertion = deletion_and_insertion(
        brightness, film, clear, flat, np.random.default_rng(0)
    )

    assert len(deletion) == len(insertion) == STEPS + 1
    assert (deletion[0], deletion[-1]) == (1, 0)
    assert (insertion[0], insertion[-1]) == (0, 1)
    # The order of a flat map is random: the score falls evenly.
    assert area(deletion) == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(deletion + insertion, 1, atol=1e-6)


def test_the_blob_is_highest_in_the_middle() -> None:
    blob = baseline_maps((7, 9), np.random.default_rng(0))["centred blob"]

    assert blob.argmax() == 3 * 9 + 4
    np.testing.assert_array_equal(blob, blob[::-1, ::-1])
