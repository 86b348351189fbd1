import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.outcome import Priority
from cxr_app.prediction import OperatingPoint, Prediction
from cxr_app.priority import assign

RANK = {Priority.LOW: 0, Priority.MEDIUM: 1, Priority.HIGH: 2}
BALANCED = OperatingPoint("balanced", 0.5, 0.96, 0.92)
HIGH_SENSITIVITY = OperatingPoint("high_sensitivity", 0.2, 0.99, 0.8)
POINTS = {"balanced": BALANCED, "high_sensitivity": HIGH_SENSITIVITY}


def predicted(probability: float) -> Prediction:
    return Prediction(probability, 0.0, np.zeros((1, 1), np.float32), "model-1")


@pytest.mark.parametrize(
    ("probability", "priority"),
    [
        (1.0, Priority.HIGH),
        (0.5, Priority.HIGH),  # at the operating point
        (0.4999, Priority.MEDIUM),
        (0.2, Priority.MEDIUM),  # at the operating point
        (0.1999, Priority.LOW),
        (0.0, Priority.LOW),
    ],
)
def test_the_tier_follows_the_operating_points(probability: float, priority: Priority) -> None:
    assert assign(predicted(probability), POINTS) is priority


def test_an_unjudged_film_is_not_an_unlikely_one() -> None:
    assert assign(None, POINTS) is Priority.MEDIUM
    assert assign(None, {}) is Priority.MEDIUM


def test_an_operating_point_that_a_checkpoint_lacks_is_skipped() -> None:
    assert assign(predicted(0.3), {"balanced": BALANCED}) is Priority.LOW
    assert assign(predicted(0.6), {"high_sensitivity": HIGH_SENSITIVITY}) is Priority.MEDIUM


thresholds = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)


@given(
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    thresholds,
    thresholds,
)
def test_raising_a_probability_never_lowers_the_tier(
    probabilities: list[float], balanced: float, high_sensitivity: float
) -> None:
    points = {
        "balanced": OperatingPoint("balanced", balanced, 0.9, 0.9),
        "high_sensitivity": OperatingPoint("high_sensitivity", high_sensitivity, 0.9, 0.9),
    }
    lower, higher = (RANK[assign(predicted(each), points)] for each in probabilities)
    assert lower <= higher
