"""The pointing game: a peak in a box is a hit, beside chance and the best fixed place."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.scores import scored_films
from training.measure.pointing import pointing
from training.measure.predictions import Predictions

BOX = "20 40 30 20"  # of a film of 100 x 200: from 0.1 to 0.25 across, from 0.4 to 0.6 down


def with_peaks(peaks: list[tuple[float, float]]) -> Predictions:
    scored = scored_films(0, len(peaks), 0, films_each=1)
    return replace(
        scored,
        films=[replace(film, boxes=BOX) for film in scored.films],
        facts=[replace(facts, rows=100, columns=200) for facts in scored.facts],
        peaks=np.array(peaks),
    )


def test_peaks_in_and_beside_boxes_are_told_apart() -> None:
    found = pointing(with_peaks([(0.11, 0.41), (0.24, 0.59), (0.26, 0.5), (0.2, 0.3)]))
    assert (found["peak_in_box"], found["peak_in_box_films"]) == (0.5, 4)
    low, high = found["peak_in_box_ci95"]
    assert 0 <= low < 0.5 < high <= 1
    assert found["peak_in_box_by_chance"] == pytest.approx(0.15 * 0.2, abs=0.005)
    assert found["peak_in_box_fixed_place"] == 1  # all boxes are alike


def test_hits_on_all_films_have_an_interval() -> None:
    found = pointing(with_peaks([(0.2, 0.5)] * 8))
    assert found["peak_in_box"] == 1
    assert found["peak_in_box_ci95"] == pytest.approx([0.025 ** (1 / 8), 1.0])


def test_films_without_boxes_say_nothing() -> None:
    assert pointing(scored_films()) == {}
