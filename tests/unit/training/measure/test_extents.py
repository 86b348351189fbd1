"""The extent of a report is that of its films, by class."""

from dataclasses import replace

import numpy as np
import pytest

from cxr_app.lung_fields import extent_of
from tests.support.lungs import two_lungs
from tests.support.scores import scored_films
from training.measure.extents import extent_figures

MARKED = np.ones((28, 28), bool)


def test_sick_films_that_are_marked_all_over_have_the_largest_score() -> None:
    scored = scored_films()
    extents = [extent_of(two_lungs(), MARKED if sick else ~MARKED) for sick in scored.truth]
    extents[0] = None  # no lungs found

    found = extent_figures(replace(scored, extents=tuple(extents)))["extent"]

    assert found["films"] == len(scored.films) - 1
    assert found["pneumonia"]["score"]["value"] == 8
    assert found["normal"]["score"]["value"] == 0
    low, high = found["normal"]["score"]["ci95"]
    assert low == 0 < high  # all alike, yet not certain
    assert set(found["pneumonia"]["zones"].values()) == {1.0}
    assert found["pneumonia"]["zones"].keys() == found["normal"]["zones"].keys()
    assert len(found["normal"]["zones"]) == 6


def test_the_extent_of_the_heat_stands_beside_that_of_the_boxes() -> None:
    scored = scored_films()
    count = len(scored.films)
    whole, none = extent_of(two_lungs(), MARKED), extent_of(two_lungs(), ~MARKED)
    heat, boxed = [whole] * count, [None] * (count - 4) + [whole, whole, whole, none]

    report = extent_figures(replace(scored, extents=tuple(heat), boxed=tuple(boxed)))
    found = report["extent"]["against_boxes"]

    assert (found["films"], found["heat"], found["boxes"]) == (4, 8, 6)
    low, high = found["difference"]["ci95"]
    assert low <= found["difference"]["value"] == 2 <= high


@pytest.mark.parametrize("extents", [(), (None,) * 120])
def test_without_lungs_the_report_has_no_extent(extents: tuple[None, ...]) -> None:
    assert extent_figures(replace(scored_films(), extents=extents)) == {}
