"""A worklist on disk as the pages find it, and what they show of it."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from cxr_app import priority
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import HeatScale, OperatingPoint, Prediction
from cxr_app.radiograph import Header
from cxr_app.scoring_engine import EngineStatus
from cxr_app.worklist import Worklist

POINTS = {
    "balanced": OperatingPoint("balanced", 0.4, 0.95, 0.9),
    "high_sensitivity": OperatingPoint("high_sensitivity", 0.2, 0.99, 0.7),
}


class ReadyEngine:
    """An engine that has its model and scores nothing by itself."""

    def __init__(self, status: EngineStatus | None = None) -> None:
        self.current = status or EngineStatus(
            "ready",
            model_version="pneumonia-a41c9f02",
            file_version="pneumonia-a41c9f02",
            device_name="CPU",
            operating_points=POINTS,
        )

    def status(self) -> EngineStatus:
        return self.current

    def wake(self) -> None:
        """Nothing to do."""


def viewer(app: AppTest) -> dict[str, Any]:
    """Return the data that the viewer was given."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (found,) = [data for data in given if "film" in data]
    return dict(found)


def received(worklist: Worklist, source: str, minutes: float = 10.0) -> str:
    """Enter a film that has waited for this number of minutes and has not been scored."""
    digest = sha256(source.encode()).hexdigest()
    received_at = datetime.now(UTC) - timedelta(minutes=minutes, seconds=30)
    return worklist.receive(digest, source, Path("/kept") / digest, received_at)[0]


def scored(worklist: Worklist, probability: float, *, minutes: float = 10.0, **header: str) -> str:
    """Enter a film with a probability; `header` are DICOM facts, among them perhaps a name."""
    source = header.pop("source", f"film {probability} {minutes} {header}")
    entry_id = received(worklist, source, minutes)
    bacterial = probability * 0.75
    prediction = Prediction(
        bacterial,
        probability - bacterial,
        np.zeros((7, 7), np.float32),
        "pneumonia-a41c9f02",
        heat_scale=HeatScale(0.0, 2.0),
    )
    worklist.record(
        Outcome(
            sha256(source.encode()).hexdigest(),
            ScoringState.SCORED,
            priority.assign(prediction, POINTS),
            prediction=prediction,
            operating_point=POINTS["balanced"],
            header=Header(**header),
        )
    )
    return entry_id


def failed(worklist: Worklist, reason: str, minutes: float = 10.0) -> str:
    """Enter a film that could not be read."""
    entry_id = received(worklist, reason, minutes)
    digest = sha256(reason.encode()).hexdigest()
    worklist.record(Outcome(digest, ScoringState.FAILED, Priority.MEDIUM, reason=reason))
    return entry_id


def table(app: AppTest) -> dict[str, Any]:
    """Everything that the page's table of films was given."""
    components = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (given,) = [data for data in components if "rows" in data]
    return dict(given)


def shown(app: AppTest, column: str = "id") -> list[Any]:
    """One column of the table, from top to bottom."""
    return [row[column] for row in table(app)["rows"]]


def page_text(app: AppTest) -> str:
    """Every word of the page but those in its table."""
    parts = [element.value for element in (*app.caption, *app.info, *app.success, *app.error)]
    parts += [element.value for element in (*app.title, *app.markdown)]
    return "\n".join(map(str, parts))
