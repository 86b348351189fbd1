import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, roc_auc_score

from cxr_app.evaluation.metrics import (
    auroc,
    bootstrap_band,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    predictive_values,
)
from training.measure.figures import brier
from training.measure.operating_points import sensitivity_at, specificity_at

seeds = st.integers(0, 10_000)


@given(seed=seeds, threshold=st.floats(0.01, 0.99))
def test_counts_agree_with_the_library(seed: int, threshold: float) -> None:
    generator = np.random.default_rng(seed)
    probabilities, truth = generator.random(50), generator.random(50) < 0.5

    counts = confusion(probabilities, truth, threshold)

    expected = confusion_matrix(truth, probabilities >= threshold, labels=[False, True])
    assert [counts.true_negative, counts.false_positive] == list(expected[0])
    assert [counts.false_negative, counts.true_positive] == list(expected[1])


@given(seed=seeds, digits=st.integers(1, 6))
def test_the_area_agrees_with_the_library_also_with_ties(seed: int, digits: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.random(60).round(digits)
    truth = generator.permutation(60) < 25

    assert auroc(probabilities, truth) == pytest.approx(roc_auc_score(truth, probabilities))


def test_a_film_at_the_threshold_is_flagged() -> None:
    assert confusion(np.array([0.5]), np.array([True]), 0.5).true_positive == 1


def test_a_figure_of_nothing_is_no_number() -> None:
    only_pneumonia = confusion(np.array([0.9]), np.array([True]), 0.5)

    assert math.isnan(only_pneumonia.specificity)
    assert math.isnan(auroc(np.array([0.9]), np.array([True])))
    assert math.isnan(auroc(np.array([0.9, math.nan]), np.array([True, False])))


def test_probabilities_that_keep_their_word_have_no_calibration_error() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.random(200_000)

    honest = expected_calibration_error(probabilities, generator.random(200_000) < probabilities)
    boastful = expected_calibration_error(np.full(1000, 0.99), np.arange(1000) < 500)

    assert honest < 0.01
    assert boastful == pytest.approx(0.49)


@given(seed=seeds)
def test_brier_is_the_mean_squared_difference(seed: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities, truth = generator.random(20), generator.random(20) < 0.5

    expected = sum((p - t) ** 2 for p, t in zip(probabilities, truth, strict=True)) / 20
    assert brier(probabilities, truth) == pytest.approx(expected)


def test_an_interval_is_wider_when_films_come_from_fewer_patients() -> None:
    generator = np.random.default_rng(0)
    right = np.repeat(generator.random(40) < 0.8, 10)

    def share(drawn: np.ndarray) -> float:
        return float(right[drawn].mean())

    alone = bootstrap_interval(share, [str(film) for film in range(400)])
    clustered = bootstrap_interval(share, [str(film // 10) for film in range(400)])

    assert alone[0] <= right.mean() <= alone[1]
    assert clustered[1] - clustered[0] > 2 * (alone[1] - alone[0])


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(30)
    patients = [str(film) for film in range(30)]

    first = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)
    second = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)

    assert first == second


@given(seed=seeds, digits=st.integers(1, 6), wanted=st.sampled_from([0.5, 0.9, 0.95, 0.99, 1.0]))
def test_fixed_points_are_the_best_of_all_thresholds(seed: int, digits: int, wanted: float) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.random(60).round(digits)
    truth = generator.permutation(60) < 25
    thresholds = [*np.unique(probabilities), 2.0]
    points = [confusion(probabilities, truth, threshold) for threshold in thresholds]

    sensitivity = sensitivity_at(probabilities, truth, specificity=wanted)
    specificity = specificity_at(probabilities, truth, sensitivity=wanted)

    assert sensitivity == max(p.sensitivity for p in points if p.specificity >= wanted - 1e-9)
    assert specificity == max(p.specificity for p in points if p.sensitivity >= wanted - 1e-9)


@given(seed=seeds, threshold=st.floats(0.05, 0.95))
def test_predictive_values_at_the_films_own_prevalence_are_those_of_the_counts(
    seed: int, threshold: float
) -> None:
    generator = np.random.default_rng(seed)
    counts = confusion(generator.random(80), np.arange(80) < 20, threshold)

    ppv, npv = predictive_values(counts.sensitivity, counts.specificity, prevalence=0.25)

    assert ppv == pytest.approx(counts.ppv, nan_ok=True)
    assert npv == pytest.approx(counts.npv, nan_ok=True)


def test_a_rarer_disease_makes_a_flag_worth_less() -> None:
    values = [predictive_values(0.95, 0.9, prevalence) for prevalence in (0.5, 0.1, 0.01)]

    assert [ppv for ppv, _ in values] == sorted((ppv for ppv, _ in values), reverse=True)
    assert [npv for _, npv in values] == sorted(npv for _, npv in values)


def test_a_band_holds_the_curve_and_is_silent_where_few_draws_speak() -> None:
    values = np.random.default_rng(0).random(50)

    def curve(drawn: np.ndarray) -> np.ndarray:
        return np.array([values[drawn].mean(), math.nan])

    low, high = bootstrap_band(curve, [str(film) for film in range(50)])

    assert low[0] < values.mean() < high[0]
    assert np.isnan([low[1], high[1]]).all()
