import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from cxr_app.evaluation.intervals import (
    auroc_difference_reach,
    clopper_pearson,
    deciding_patients,
    figure_interval,
    paired_difference,
)
from cxr_app.evaluation.metrics import auroc, confusion


def sensitivity(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return confusion(probabilities, truth, 0.5).sensitivity


def accuracy(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return confusion(probabilities, truth, 0.5).accuracy


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@given(whole=st.integers(1, 200), share=st.floats(0, 1))
def test_the_exact_interval_agrees_with_the_library(whole: int, share: float) -> None:
    part = round(share * whole)

    found = clopper_pearson(part, whole)

    expected = binomtest(part, whole).proportion_ci(method="exact")
    assert found == pytest.approx((expected.low, expected.high))


def test_nothing_observed_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_forty_of_forty_may_be_ninety_one_in_a_hundred() -> None:
    interval = figure_interval(sensitivity, np.full(40, 0.9), np.ones(40, dtype=bool), names(40))

    assert interval == pytest.approx((0.912, 1.0), abs=1e-3)


def test_forty_films_of_four_patients_say_less_than_of_forty() -> None:
    truth = np.ones(40, dtype=bool)
    patients = [str(number // 10) for number in range(40)]

    low, high = figure_interval(sensitivity, np.full(40, 0.9), truth, patients)

    assert (low, high) == pytest.approx(clopper_pearson(4, 4))


def test_an_interval_with_spread_is_the_bootstraps() -> None:
    generator = np.random.default_rng(0)
    probabilities, truth = generator.random(200), generator.random(200) < 0.5

    low, high = figure_interval(accuracy, probabilities, truth, names(200))

    assert low < accuracy(probabilities, truth) < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 200), rel=0.2)


def test_the_patients_who_decide_are_those_of_the_class() -> None:
    truth = np.arange(50) < 20
    probabilities = np.where(truth, 0.9, 0.1)
    patients = names(50)

    def specificity(p: np.ndarray, t: np.ndarray) -> float:
        return confusion(p, t, 0.5).specificity

    counts = [
        deciding_patients(figure, probabilities, truth, patients)
        for figure in (sensitivity, specificity, accuracy, auroc)
    ]

    assert counts == [20, 30, 50, 20]


def test_a_perfect_area_has_an_interval() -> None:
    truth = np.arange(60) < 20

    low, high = figure_interval(auroc, np.where(truth, 0.9, 0.1), truth, names(60))

    assert (low, high) == pytest.approx((0.832, 1.0), abs=1e-3)


def test_a_figure_of_nothing_has_no_interval() -> None:
    low, high = figure_interval(sensitivity, np.full(5, 0.9), np.zeros(5, dtype=bool), names(5))

    assert math.isnan(low)
    assert math.isnan(high)


def test_two_models_that_agree_on_every_film_are_reported_as_equal() -> None:
    found = paired_difference(lambda _: 0.0, names(40))

    assert not found.differs
    assert found.ci95 == pytest.approx((-0.088, 0.088), abs=1e-3)
    assert "can exclude none smaller than 0.088" in found.remark()


def test_a_difference_with_spread_needs_no_remark() -> None:
    values = np.random.default_rng(0).normal(0.1, 0.3, 100)

    found = paired_difference(lambda drawn: float(values[drawn].mean()), names(100))

    assert found.differs
    assert found.low < found.value < found.high
    assert found.remark() == ""


@pytest.mark.parametrize("area_under", [0.8, 0.97])
def test_the_expected_reach_is_that_of_simulated_comparisons(area_under: float) -> None:
    """Two models whose errors are independent, each drawn from two normal distributions."""
    generator = np.random.default_rng(0)
    distance, films = math.sqrt(2) * norm.ppf(area_under), 200
    truth = np.arange(films) < films // 2

    def area() -> float:
        return auroc(generator.normal(size=films) + distance * truth, truth)

    differences = [area() - area() for _ in range(1500)]
    expected = auroc_difference_reach(films, area_under, correlation=0.0)
    # The formula errs on the wide side where the films are not as it assumes them to be.
    assert 0.93 < expected / (1.96 * np.std(differences)) < 1.3
