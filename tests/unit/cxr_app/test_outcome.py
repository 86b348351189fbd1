from typing import Any

import numpy as np
import pytest

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import OperatingPoint, Prediction

SHA256 = "0" * 64
PREDICTION = Prediction(0.3, 0.2, np.zeros((2, 2), np.float32), "model-1")
POINT = OperatingPoint("balanced", 0.5, 0.96, 0.92)
SCORED: dict[str, Any] = {"prediction": PREDICTION, "operating_point": POINT}


def outcome(state: ScoringState, **facts: Any) -> Outcome:
    return Outcome(SHA256, state, Priority.MEDIUM, **facts)


def test_a_scored_film_is_flagged_at_its_operating_point() -> None:
    assert outcome(ScoringState.SCORED, **SCORED).flagged is True
    stricter = OperatingPoint("balanced", 0.51, 0.9, 0.95)
    assert outcome(ScoringState.SCORED, **SCORED | {"operating_point": stricter}).flagged is False


@pytest.mark.parametrize("state", [ScoringState.REJECTED, ScoringState.FAILED])
def test_flagged_is_undefined_for_a_film_without_a_score(state: ScoringState) -> None:
    assert outcome(state, reason="It is a hand.").flagged is None


@pytest.mark.parametrize(
    ("state", "facts", "message"),
    [
        (ScoringState.SCORED, {}, "prediction and an operating point"),
        (ScoringState.SCORED, {"prediction": PREDICTION}, "prediction and an operating point"),
        (ScoringState.SCORED, {"operating_point": POINT}, "prediction and an operating point"),
        (ScoringState.REJECTED, SCORED | {"reason": "x"}, "prediction and an operating point"),
        (ScoringState.FAILED, {"operating_point": POINT, "reason": "x"}, "operating point"),
        (ScoringState.SCORED, SCORED | {"reason": "x"}, "reason exactly when"),
        (ScoringState.REJECTED, {}, "reason exactly when"),
        (ScoringState.FAILED, {}, "reason exactly when"),
    ],
)
def test_state_prediction_and_reason_cannot_contradict_each_other(
    state: ScoringState, facts: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        outcome(state, **facts)


def test_states_and_priorities_have_the_values_of_results_csv() -> None:
    assert [state.value for state in ScoringState] == ["SCORED", "REJECTED", "FAILED"]
    assert [priority.value for priority in Priority] == ["HIGH", "MEDIUM", "LOW"]
