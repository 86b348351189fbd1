"""Outcomes as scoring would give them, built from short words."""

import hashlib

import numpy as np

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import HeatScale, OperatingPoint, Prediction
from cxr_app.priority import assign
from cxr_app.radiograph import Header

OPERATING_POINTS = {
    "balanced": OperatingPoint("balanced", 0.5, 0.96, 0.92),
    "high_sensitivity": OperatingPoint("high_sensitivity", 0.25, 0.99, 0.8),
}
HEAT_SCALE = HeatScale(-0.5, 1.25)
INSTANCE = Header(
    sop_class_uid="1.2.3",
    sop_instance_uid="1.2.3.4",
    series_instance_uid="1.2.3.5",
    study_instance_uid="1.2.3.6",
)
"""What a film must name of itself, so that a result can stand beside it."""


def sha256(film: object) -> str:
    """Return the SHA-256 of a film of this name."""
    return hashlib.sha256(str(film).encode()).hexdigest()


def prediction(probability: float, model_version: str = "model-1") -> Prediction:
    """Return an outcome with this probability of pneumonia, all of it bacterial."""
    activation_map = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4) * np.float32(
        probability
    )
    return Prediction(probability, 0.0, activation_map, model_version, heat_scale=HEAT_SCALE)


def scored(
    film: object,
    probability: float = 0.75,
    model_version: str = "model-1",
    header: Header | None = None,
    operating_point: str = "balanced",
) -> Outcome:
    """Score a film."""
    predicted = prediction(probability, model_version)
    return Outcome(
        sha256(film),
        ScoringState.SCORED,
        assign(predicted, OPERATING_POINTS),
        prediction=predicted,
        operating_point=OPERATING_POINTS[operating_point],
        header=header,
        file_format="JPEG" if header is None else "DICOM",
        rows=1000,
        columns=1400,
        remarks=("first of 3 frames",),
    )


def refused(
    film: object, state: ScoringState = ScoringState.FAILED, reason: str = "The file is truncated."
) -> Outcome:
    """Refuse a film."""
    return Outcome(sha256(film), state, Priority.MEDIUM, reason)
