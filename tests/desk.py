"""A worklist on disk with real films in it, as a server would find it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from cxr_app import intake
from cxr_app.film_store import FilmStore
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import ActivationMap, OperatingPoint, Prediction
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

BALANCED = OperatingPoint("balanced", 0.47, 0.97, 0.9)


def evidence(*spots: tuple[int, int], strength: float = 1.5) -> ActivationMap:
    """Draw an activation map that speaks for pneumonia in these cells and in no other."""
    cells = np.full((7, 7), -1.0, np.float32)
    for row, column in spots:
        cells[row, column] = strength
    return cells


class Desk:
    """A data folder that films are received into, scored by hand.

    Parameters
    ----------
    data_dir
        As `CXR_DATA_DIR`; made where it is not there.
    """

    def __init__(self, data_dir: Path) -> None:
        settings = Settings(data_dir=data_dir)
        data_dir.mkdir(parents=True, exist_ok=True)
        self.films = FilmStore(settings.films_dir)
        self.worklist = Worklist.open(settings.worklist_url)

    def receive(self, data: bytes, source: str = "film.dcm", minutes: int = 66) -> str:
        """Receive a film as many minutes ago; give the entry's id."""
        sha256 = self.films.keep(data)
        received_at = datetime.now(UTC) - timedelta(minutes=minutes)
        return self.worklist.receive(sha256, source, self.films.path(sha256), received_at)[0]

    def score(
        self,
        entry_id: str,
        probability: float,
        model_version: str = "m-1",
        spots: Sequence[tuple[int, int]] = ((4, 2),),
    ) -> str:
        """Record what a model would have said; give the id back."""
        entry = self.worklist.entry(entry_id)
        film = intake.read_radiograph(self.films.read(entry.sha256))
        shares = (probability * 0.75, probability * 0.25)
        prediction = Prediction(*shares, evidence(*spots), model_version)
        self.worklist.record(
            Outcome(
                entry.sha256,
                ScoringState.SCORED,
                Priority.HIGH if probability >= BALANCED.threshold else Priority.LOW,
                prediction=prediction,
                operating_point=BALANCED,
                header=film.header,
                file_format=film.file_format,
                rows=film.rows,
                columns=film.columns,
                remarks=film.remarks,
            )
        )
        return entry_id

    def refuse(self, entry_id: str, state: ScoringState, reason: str) -> str:
        """Record a refusal; give the id back."""
        sha256 = self.worklist.entry(entry_id).sha256
        self.worklist.record(Outcome(sha256, state, Priority.MEDIUM, reason=reason))
        return entry_id
