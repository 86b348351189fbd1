import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.metrics import Estimate
from cxr_app.operating_curve import OperatingCurve
from cxr_app.reading_queue import DISCIPLINES, MISSED, Mix, Room, Span, simulate
from cxr_app.ui import worth_figures, worth_words
from tests.app.worklists import POINTS
from tests.unit.test_operating_curve import film_scores_of

CURVE = OperatingCurve.of(film_scores_of())
NOTHING = Estimate(math.nan, math.nan, math.nan)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.04, "0.0 min"),
        (4.26, "4.3 min"),
        (9.96, "10 min"),
        (99.9, "100 min"),
        (100, "1.7 h"),
        (2879, "48 h"),
        (2880, "2.0 d"),
        (math.nan, "–"),
    ],
)
def test_a_wait_is_said_in_one_unit(minutes: float, words: str) -> None:
    assert worth_words.wait(minutes) == words


@given(value=st.floats(0.1, 1e5), reach=st.floats(0, 1e5))
def test_an_interval_is_said_in_the_unit_of_its_value(value: float, reach: float) -> None:
    said = worth_words.wait_with_interval(Estimate(value, value - reach, value + reach))
    assert said.startswith(worth_words.wait(value))
    low, high = said.split("(")[1].rstrip(")]").split("–")
    assert 0 <= float(low.replace(",", "")) <= float(high.replace(",", ""))


def test_what_is_not_known_is_a_dash() -> None:
    assert worth_words.share(math.nan) == worth_words.ratio(math.nan) == "–"
    assert worth_words.count(math.nan) == worth_words.share_interval(NOTHING) == "–"
    assert worth_words.wait_with_interval(NOTHING) == "–"
    assert worth_words.wait_with_interval(Estimate(5.0, math.nan, math.nan)) == "5.0 min"


def test_a_model_that_misses_nothing_is_not_said_to_miss() -> None:
    scores = CURVE.scores
    probabilities = np.where(scores.truth, 0.9, 0.1)
    room = Room(200, readers=1, minutes_a_film=3, prevalence=0.3, cap_hours=1)
    mix = Mix(probabilities, scores.truth, POINTS)
    found = simulate(room, mix, Span(days=2, warm_up=1, replications=3))

    assert "not flagged" not in worth_words.gist(found)
    assert worth_words.wait_rows(found)[-1]["Mean wait"] == "–"
    drawn = [name for trace in worth_figures.waits(found).data for name in trace.y[0]]
    assert worth_words.KINDS[MISSED] not in drawn
    assert len(drawn) == 2 * 4 * len(DISCIPLINES)


@given(threshold=st.floats(0.01, 0.99))
def test_the_moved_point_lies_where_its_threshold_puts_it(threshold: float) -> None:
    here = CURVE.at(threshold)
    points = {name: CURVE.at(point.threshold) for name, point in POINTS.items()}

    figure = worth_figures.roc(CURVE, here, points)

    mark = figure.data[-1]
    assert (mark.x[0], mark.y[0]) == (1 - here.specificity.value, here.sensitivity.value)
    for trace in figure.data[3:]:  # every mark lies within the axes
        assert figure.layout.xaxis.range[0] <= trace.x[0] <= figure.layout.xaxis.range[1]
        assert figure.layout.yaxis.range[0] <= trace.y[0] <= figure.layout.yaxis.range[1]


def test_the_reliability_shows_every_bin_and_counts_its_films() -> None:
    bins = CURVE.reliability()
    bars, _, dots = worth_figures.reliability(bins).data
    assert list(bars.y) == list(dots.customdata) == [each.films for each in bins]
    assert list(dots.y) == [each.seen.value for each in bins]
