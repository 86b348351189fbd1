"""PSI and KS distance: hand-made numbers, limits, and intervals that hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxr_app.evaluation.drift import kolmogorov_smirnov, population_stability
from cxr_app.evaluation.metrics import Floats

PROBABILITIES = st.integers(30, 200).flatmap(
    lambda films: arrays(np.float64, films, elements=st.floats(0, 1, width=32))
)
REFERENCE = np.arange(1, 1001) / 1000
"""A hundred films in each tenth."""
DRAWS = 100


def index(expected: list[float], found: list[float]) -> float:
    """Compute the PSI as the textbook has it."""
    return sum((b - a) * math.log(b / a) for a, b in zip(expected, found, strict=True))


def test_the_index_is_the_textbooks_less_what_chance_adds() -> None:
    counts = [400, 200, 100, 50, 50, 50, 50, 50, 25, 25]
    scores = np.repeat(np.arange(10) / 10 + 0.05, counts)
    textbook = index([0.1] * 10, [count / 1000 for count in counts])
    chance = 9 * (1 / 1000 + 1 / 1000)
    assert population_stability(REFERENCE, scores).value == pytest.approx(
        textbook - chance, abs=0.01
    )


@given(scores=PROBABILITIES)
def test_scores_have_not_moved_from_themselves(scores: Floats) -> None:
    for distance in (population_stability, kolmogorov_smirnov):
        found = distance(scores, scores)
        assert found.value == found.low == 0
        assert found.high > 0


@given(reference=PROBABILITIES, scores=PROBABILITIES)
def test_figures_are_finite_and_within_their_intervals(reference: Floats, scores: Floats) -> None:
    for distance in (population_stability, kolmogorov_smirnov):
        found = distance(reference, scores)
        assert 0 <= found.low <= found.value <= found.high < math.inf
    assert kolmogorov_smirnov(reference, scores).high <= 1


@pytest.mark.parametrize("films", [30, 20_000])
def test_scores_that_have_nothing_in_common_have_figures_too(films: int) -> None:
    low, high = np.linspace(0, 0.1, films), np.linspace(0.9, 1, films)
    psi, ks = population_stability(low, high), kolmogorov_smirnov(low, high)
    assert psi.low > 0.25
    assert ks.value == ks.high == 1


def test_the_distance_is_the_largest_gap_between_the_distribution_functions() -> None:
    scores = np.concatenate([REFERENCE[:500] + 0.4, REFERENCE[:500] + 0.5])  # none below
    assert kolmogorov_smirnov(REFERENCE, scores).value == pytest.approx(0.4, abs=0.002)


def mixture(generator: np.random.Generator, films: int, sick: float) -> Floats:
    """Draw scores of a site where this share of films shows pneumonia."""
    centre = np.where(generator.random(films) < sick, 3.0, -3.0)
    return np.asarray(1 / (1 + np.exp(-generator.normal(centre, 1.5))))


@pytest.mark.parametrize("sick", [0.2, 0.35])
@pytest.mark.parametrize("films", [40, 200])
def test_intervals_hold_the_true_figure(sick: float, films: int) -> None:
    generator = np.random.default_rng(7)
    large = mixture(generator, 200_000, 0.2), mixture(generator, 200_000, sick)
    for distance in (population_stability, kolmogorov_smirnov):
        true = distance(*large).value if sick > 0.2 else 0.0
        found = [
            distance(mixture(generator, 2000, 0.2), mixture(generator, films, sick))
            for _ in range(DRAWS)
        ]
        held = sum(each.low <= true <= each.high for each in found)
        assert held >= 0.88 * DRAWS
        if distance is population_stability:
            assert np.mean([each.value for each in found]) == pytest.approx(true, abs=0.05)
