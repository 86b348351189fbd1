import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.fit.calibration import (
    BALANCED_SENSITIVITY,
    COOLEST,
    fit_temperature,
    operating_points,
)


def drawn(seed: int, films: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits, and targets drawn from their softmax: calibrated by construction."""
    torch.manual_seed(seed)
    logits = 2 * torch.randn(films, 3)
    targets = torch.multinomial(logits.softmax(dim=1), 1).squeeze(1)
    return logits, targets


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.5, 3.0])
def test_an_overconfident_or_underconfident_network_is_calibrated(factor: float) -> None:
    logits, targets = drawn(seed=0)

    assert fit_temperature(logits * factor, targets) == pytest.approx(factor, rel=0.1)


def test_perfect_classification_gives_no_certainty() -> None:
    targets = torch.arange(30) % 3
    logits = 4 * torch.eye(3)[targets]

    assert fit_temperature(logits, targets) == pytest.approx(COOLEST, rel=0.01)


@given(seed=st.integers(0, 1000), overlap=st.floats(0.2, 2.0))
def test_the_high_sensitivity_point_misses_no_more_than_the_balanced_one(
    seed: int, overlap: float
) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.random(300) < 0.7
    scores = generator.normal(np.where(truth, 1.0, -1.0), overlap)

    points = operating_points(1 / (1 + np.exp(-scores)), truth)

    balanced, sensitive = points["balanced"], points["high_sensitivity"]
    assert sensitive.threshold <= balanced.threshold
    assert sensitive.sensitivity >= balanced.sensitivity
    assert sensitive.sensitivity >= 0.99 or sensitive.specificity <= balanced.specificity


def test_the_threshold_of_separable_films_is_between_the_classes() -> None:
    probabilities = np.array([0.01, 0.02, 0.1, 0.8, 0.9, 0.95])
    truth = np.array([False, False, False, True, True, True])

    points = operating_points(probabilities, truth)

    assert points["balanced"].threshold == pytest.approx(0.45)
    assert points["balanced"].sensitivity == points["balanced"].specificity == 1.0
    assert points["high_sensitivity"].sensitivity == 1.0


@given(seed=st.integers(0, 1000), overlap=st.floats(0.2, 2.0))
def test_the_balanced_point_loses_little_and_aims_at_its_sensitivity(
    seed: int, overlap: float
) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.random(300) < 0.7
    scores = 1 / (1 + np.exp(-generator.normal(np.where(truth, 1.0, -1.0), overlap)))

    balanced = operating_points(scores, truth)["balanced"]

    def both(threshold: float) -> tuple[float, float]:
        flagged = scores >= threshold
        return float(flagged[truth].mean()), float(1 - flagged[~truth].mean())

    reached = [both(threshold) for threshold in scores]
    best = max(map(sum, reached))
    equally_good = [
        sensitivity for sensitivity, other in reached if sensitivity + other >= best - 0.01
    ]
    assert balanced.sensitivity + balanced.specificity >= best - 0.02
    nearest = min(abs(sensitivity - BALANCED_SENSITIVITY) for sensitivity in equally_good)
    assert abs(balanced.sensitivity - BALANCED_SENSITIVITY) <= nearest + 0.01
