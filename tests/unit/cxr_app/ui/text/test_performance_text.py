import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.evaluation.metrics import Estimate
from cxr_app.evaluation.operating_curve import OperatingCurve
from cxr_app.evaluation.queue_simulation import DISCIPLINES, MISSED, Mix, Room, Span, simulate
from cxr_app.ui.panels import performance_charts
from cxr_app.ui.text import performance_text
from tests.support.worklists import POINTS
from tests.unit.cxr_app.evaluation.test_operating_curve import film_scores_of

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
def test_a_wait_is_shown_in_one_unit(minutes: float, words: str) -> None:
    assert performance_text.wait(minutes) == words


@given(value=st.floats(0.1, 1e5), reach=st.floats(0, 1e5))
def test_an_interval_is_shown_in_the_unit_of_its_value(value: float, reach: float) -> None:
    answer = performance_text.wait_with_interval(Estimate(value, value - reach, value + reach))
    assert answer.startswith(performance_text.wait(value))
    low, high = answer.split("(")[1].rstrip(")]").split("–")
    assert 0 <= float(low.replace(",", "")) <= float(high.replace(",", ""))


def test_what_is_not_known_is_a_dash() -> None:
    assert performance_text.percentage(math.nan) == performance_text.ratio(math.nan) == "–"
    assert performance_text.count(math.nan) == performance_text.percentage_interval(NOTHING) == "–"
    assert performance_text.wait_with_interval(NOTHING) == "–"
    assert performance_text.wait_with_interval(Estimate(5.0, math.nan, math.nan)) == "5.0 min"


def test_a_model_without_misses_is_not_reported_to_miss() -> None:
    scores = CURVE.scores
    probabilities = np.where(scores.truth, 0.9, 0.1)
    room = Room(200, readers=1, minutes_a_film=3, prevalence=0.3, cap_hours=1)
    mix = Mix(probabilities, scores.truth, POINTS)
    found = simulate(room, mix, Span(days=2, warm_up=1, replications=3))

    assert "not flagged" not in performance_text.summary(found)
    assert performance_text.wait_rows(found)[-1]["Mean wait"] == "–"
    drawn = [name for trace in performance_charts.waits(found).data for name in trace.y[0]]
    assert performance_text.KINDS[MISSED] not in drawn
    assert len(drawn) == 2 * 4 * len(DISCIPLINES)


@given(threshold=st.floats(0.01, 0.99))
def test_the_moved_point_lies_where_its_threshold_puts_it(threshold: float) -> None:
    here = CURVE.at(threshold)
    points = {name: CURVE.at(point.threshold) for name, point in POINTS.items()}

    figure = performance_charts.roc(CURVE, here, points)

    mark = figure.data[-1]
    assert (mark.x[0], mark.y[0]) == (1 - here.specificity.value, here.sensitivity.value)
    for trace in figure.data[3:]:  # every mark lies within the axes
        assert figure.layout.xaxis.range[0] <= trace.x[0] <= figure.layout.xaxis.range[1]
        assert figure.layout.yaxis.range[0] <= trace.y[0] <= figure.layout.yaxis.range[1]


def test_the_reliability_shows_every_bin_and_counts_its_films() -> None:
    bins = CURVE.reliability()
    bars, _, dots = performance_charts.reliability(bins).data
    assert list(bars.y) == list(dots.customdata) == [each.films for each in bins]
    assert list(dots.y) == [each.observed.value for each in bins]
