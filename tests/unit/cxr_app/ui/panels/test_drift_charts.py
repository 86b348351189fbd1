"""Charts of the Drift page: points, or why there are none."""

import numpy as np
import pytest

from cxr_app.drift_alarms import DriftFigure
from cxr_app.evaluation.drift_changes import FilmGroup, Reference, by_week
from cxr_app.evaluation.drift_figures import FEWEST
from cxr_app.ui.panels import drift_charts
from tests.support.drift import Film, columns

WEEKS = range(2900, 2904)
SHARES = (DriftFigure.FLAGGED, DriftFigure.REFUSED)


def weeks_with(films: int) -> dict[int, FilmGroup]:
    found = columns([Film(2901, flagged=number % 3 == 0) for number in range(films)])
    return by_week(found, np.ones(films, np.bool_), "m-1", Reference(), WEEKS)


def drawn(figures: tuple[DriftFigure, ...], films: int) -> tuple[list[str], tuple[float, ...]]:
    """Return the words on a chart, and the range of its axis; empty if it follows the points."""
    chart = drift_charts.shares(figures, weeks_with(films), [], Reference(), {})
    axis = chart.layout.yaxis.range
    return [each.text for each in chart.layout.annotations], tuple(axis or ())


@pytest.mark.parametrize(
    ("figures", "films", "words"),
    [
        (SHARES, 0, "no films"),
        (SHARES, 12, f"too few: at most 12 films a week, needed {FEWEST}"),
        ((DriftFigure.SENSITIVITY, DriftFigure.SPECIFICITY), 40, "no films"),
        ((DriftFigure.PSI,), 12, f"too few: at most 12 films a week, needed {FEWEST}"),
        ((DriftFigure.KS,), 40, "no reference"),
    ],
)
def test_a_chart_without_points_says_why_over_an_axis_of_its_own(
    figures: tuple[DriftFigure, ...], films: int, words: str
) -> None:
    assert drawn(figures, films) == ([words], (0, 1))


def test_a_chart_with_a_point_says_nothing() -> None:
    assert drawn(SHARES, FEWEST) == ([], ())
