import json

import pytest

from cxr_app.prediction import OperatingPoint
from tests.support.scores import scored_films
from training.measure.operating_points import fixed_points

POINTS = (
    OperatingPoint("balanced", 0.5, 0.95, 0.9),
    OperatingPoint("high_sensitivity", 0.2, 0.99, 0.7),
)


def test_every_figure_is_within_its_interval() -> None:
    found = fixed_points(scored_films(), POINTS, prevalence=None)

    sides = [*found["sensitivity_at_specificity"], *found["specificity_at_sensitivity"]]
    assert [side["at"] for side in sides] == [0.90, 0.95, 0.95, 0.97, 0.99]
    for estimate in (*sides, found["average_precision"], found["operating_points"][0]["ppv"]):
        low, high = estimate["ci95"]
        assert low <= estimate["value"] <= high
        assert low < high


def test_predictive_values_are_for_the_prevalence_of_the_place() -> None:
    scored = scored_films()

    here, rare = (fixed_points(scored, POINTS, prevalence) for prevalence in (None, 0.05))

    (at_home, _), (elsewhere, _) = here["operating_points"], rare["operating_points"]
    assert at_home["prevalence"] == pytest.approx(80 / 120)
    assert elsewhere["prevalence"] == 0.05
    assert elsewhere["sensitivity"] == at_home["sensitivity"]
    assert elsewhere["ppv"]["value"] < at_home["ppv"]["value"]
    assert elsewhere["npv"]["value"] > at_home["npv"]["value"]


def test_figures_that_films_of_one_class_do_not_define_are_none() -> None:
    found = fixed_points(scored_films(normal=0), POINTS, prevalence=0.1)

    assert found["average_precision"] == {"value": None, "ci95": [None, None]}
    assert found["operating_points"][0]["ppv"]["value"] is None
    assert found["operating_points"][0]["sensitivity"]["value"] is not None
    json.dumps(found, allow_nan=False)
