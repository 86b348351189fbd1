import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_app.evaluation.metrics import auroc
from training.measure.delong import areas_and_covariance, compare_areas

seeds = st.integers(0, 10_000)


def directly(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equations 1 to 6 of DeLong et al. 1988, pair by pair."""
    x, y = scores[:, positive], scores[:, ~positive]
    psi = (x[:, :, None] > y[:, None, :]) + 0.5 * (x[:, :, None] == y[:, None, :])  # (k, m, n)
    areas = psi.mean(axis=(1, 2))
    v10, v01 = psi.mean(axis=2) - areas[:, None], psi.mean(axis=1) - areas[:, None]
    m, n = x.shape[1], y.shape[1]
    return areas, v10 @ v10.T / (m - 1) / m + v01 @ v01.T / (n - 1) / n


@settings(max_examples=50, deadline=None)
@given(seed=seeds, positives=st.integers(2, 30), negatives=st.integers(2, 30), k=st.integers(1, 3))
def test_the_fast_way_equals_the_formula_also_with_ties(
    seed: int, positives: int, negatives: int, k: int
) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.random((k, positives + negatives)).round(1)
    positive = generator.permutation(positives + negatives) < positives

    areas, covariance = areas_and_covariance(scores, positive)

    expected_areas, expected_covariance = directly(scores, positive)
    np.testing.assert_allclose(areas, expected_areas, atol=1e-12)
    np.testing.assert_allclose(covariance, expected_covariance, atol=1e-12)
    assert areas[0] == pytest.approx(auroc(scores[0], positive))


def test_a_variance_that_can_be_computed_by_hand() -> None:
    # Positives 1 and 3 exceed half and all of the negatives 0 and 2, which are below all and half
    # of the positives: the shares of each side have variance 1/8, over two films each.
    scores, positive = np.array([[1.0, 3.0, 0.0, 2.0]]), np.array([True, True, False, False])

    areas, covariance = areas_and_covariance(scores, positive)

    assert areas[0] == 0.75
    assert covariance[0, 0] == pytest.approx(1 / 8 / 2 + 1 / 8 / 2)


@given(seed=seeds)
def test_scores_with_the_same_order_do_not_differ(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores, positive = generator.random(40), generator.permutation(40) < 15

    test = compare_areas(scores, np.exp(3 * scores), positive)

    assert test.difference == 0
    assert test.p_value == pytest.approx(1.0)
    assert test.interval == pytest.approx((0, 0), abs=1e-6)


@given(seed=seeds)
def test_the_reverse_comparison_is_the_opposite(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores, others = generator.random((2, 40))
    positive = generator.permutation(40) < 15

    there, back = compare_areas(scores, others, positive), compare_areas(others, scores, positive)

    assert there.difference == -back.difference
    assert there.p_value == pytest.approx(back.p_value)
    assert there.interval == pytest.approx([-end for end in reversed(back.interval)])


def test_an_informative_score_differs_from_a_random_one() -> None:
    generator = np.random.default_rng(0)
    positive = np.arange(200) < 100
    informative, random = positive + generator.normal(0, 0.8, 200), generator.normal(0, 1, 200)

    test = compare_areas(informative, random, positive)

    assert test.p_value < 1e-6
    assert test.interval[0] > 0.1


def test_a_single_film_of_a_class_has_no_standard_error() -> None:
    test = compare_areas(np.array([0.1, 0.9, 0.5]), np.array([0.2, 0.3, 0.1]), np.arange(3) == 1)

    assert math.isnan(test.standard_error)
    assert math.isnan(test.p_value)
