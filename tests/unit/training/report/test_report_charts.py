from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_app.evaluation.metrics import GRID, confusion
from cxr_app.prediction import OperatingPoint
from tests.support.scores import scored_films
from training.report import report_charts

POINTS = (
    OperatingPoint("balanced", 0.5, 0.95, 0.9),
    OperatingPoint("high_sensitivity", 0.2, 0.99, 0.7),
)
MEASURED: list[dict[str, Any]] = [
    {
        "sensitivity": {"value": 0.9},
        "specificity": {"value": 0.8},
        "prevalence": 0.5,
        "counts": {
            "true_positive": 27,
            "false_negative": 3,
            "false_positive": 6,
            "true_negative": 24,
        },
    }
] * 2


@settings(max_examples=5)
@given(seed=st.integers(0, 1000), threshold=st.floats(0.1, 0.9))
def test_every_threshold_is_on_or_below_the_roc_curve(seed: int, threshold: float) -> None:
    scored = scored_films(30, 15, 15, seed=seed)

    figure = report_charts.receiver_operating_characteristic(scored, POINTS, MEASURED)

    curve = np.array(figure.data[3].y)
    counts = confusion(scored.pneumonia, scored.truth, threshold)
    assert (np.diff(curve) >= 0).all()
    place = np.searchsorted(GRID, 1 - counts.specificity - 1e-9)
    assert curve[place] >= counts.sensitivity - 1e-9
    low, high = np.array(figure.data[0].y), np.array(figure.data[1].y)
    assert (low <= high).all()


def test_histograms_hold_every_film_once() -> None:
    scored = scored_films(30, 20, 10)

    by_class = report_charts.histogram(scored, POINTS, by_cause=False)
    by_cause = report_charts.histogram(scored, POINTS, by_cause=True)

    assert [sum(bar.y) for bar in by_class.data] == [30, 30]
    assert [sum(bar.y) for bar in by_cause.data] == [20, 10]


def test_reliability_has_a_dot_for_every_bin_that_holds_films() -> None:
    scored = scored_films()

    dots = report_charts.reliability_diagram(scored).data[1]

    assert sum(dots.customdata) == len(scored.films)
    assert (np.array(dots.error_y.array) >= -1e-9).all()


def test_films_of_one_class_are_drawn_too() -> None:
    scored = scored_films(normal=0)
    measured = [{**point, "specificity": {"value": None}} for point in MEASURED]

    report_charts.receiver_operating_characteristic(scored, POINTS, measured)
    report_charts.precision_recall(scored)
    report_charts.values_by_prevalence(measured[0])
    report_charts.confusion_matrix(measured[0]["counts"])


def test_the_labels_of_two_operating_points_that_lie_together_do_not_overlap() -> None:
    def positions(second: float) -> list[str]:
        measured = [MEASURED[0], MEASURED[0] | {"specificity": {"value": second}}]
        figure = report_charts.receiver_operating_characteristic(
            scored_films(30, 15, 15), POINTS, measured
        )
        return [trace.textposition for trace in figure.data if trace.mode == "markers+text"]

    assert positions(0.8) == positions(0.7) == ["bottom right", "top right"]
    assert positions(0.2) == ["bottom right", "bottom right"]
