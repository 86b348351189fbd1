"""A worklist on disk with real films in it, as a server would find it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_app.film_store import FilmStore
from cxr_app.imaging import intake
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import ActivationMap, HeatScale, OperatingPoint, Prediction
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

MIDDLE = ((4, 2),)
"""Default place of the heat."""
BALANCED = OperatingPoint("balanced", 0.47, 0.97, 0.9)


def evidence(*spots: tuple[int, int], strength: float = 1.5) -> ActivationMap:
    """Draw an activation map with evidence of pneumonia in these cells only."""
    cells = np.full((7, 7), -1.0, np.float32)
    for row, column in spots:
        cells[row, column] = strength
    return cells


class Desk:
    """A data folder that films are received into, scored by hand.

    Where a server runs beside it, films come in by `enter` or `enter_refused`: one that is received
    first is at once scored by the server too.

    Parameters
    ----------
    data_dir
        As `CXR_DATA_DIR`; made where it is not there.
    """

    def __init__(self, data_dir: Path) -> None:
        settings = Settings(data_dir=data_dir)
        data_dir.mkdir(parents=True, exist_ok=True)
        self._ago = timedelta()
        self.films = FilmStore(settings.films_dir)
        self.worklist = Worklist.open(settings.worklist_url, lambda: datetime.now(UTC) - self._ago)

    def receive(self, data: bytes, source: str = "film.dcm", minutes: int = 66) -> str:
        """Receive a film as many minutes ago; give the entry's id."""
        digest = self.films.keep(data)
        received_at = datetime.now(UTC) - timedelta(minutes=minutes)
        return self.worklist.receive(digest, source, self.films.path(digest), received_at)[0]

    def score(self, entry_id: str, probability: float, model_version: str = "m-1") -> str:
        """Record the outcome that a model would have had; return the id."""
        film = self.films.read(self.worklist.entry(entry_id).sha256)
        self.worklist.record(scored(film, probability, model_version))
        return entry_id

    def refuse(self, entry_id: str, state: ScoringState, reason: str) -> str:
        """Record a refusal; give the id back."""
        digest = self.worklist.entry(entry_id).sha256
        self.worklist.record(Outcome(digest, state, Priority.MEDIUM, reason=reason))
        return entry_id

    def enter(
        self,
        data: bytes,
        probability: float,
        source: str = "film.dcm",
        minutes: int = 66,
        spots: Sequence[tuple[int, int]] = MIDDLE,
    ) -> str:
        """Receive a film together with its outcome; return the entry's id."""
        return self.enter_outcome(data, scored(data, probability, spots=spots), source, minutes)

    def enter_refused(self, data: bytes, state: ScoringState, reason: str) -> str:
        """Receive a film together with its refusal; give the entry's id."""
        outcome = Outcome(sha256(data).hexdigest(), state, Priority.MEDIUM, reason=reason)
        return self.enter_outcome(data, outcome)

    def enter_outcome(
        self, data: bytes, outcome: Outcome, source: str = "film.dcm", minutes: int = 66
    ) -> str:
        """Receive a film together with its outcome; give the entry's id."""
        path = self.films.path(self.films.keep(data))
        self._ago = timedelta(minutes=minutes)
        self.worklist.enter([(outcome, source, path)])
        self._ago = timedelta()
        entry = self.worklist.entry_by_sha256(outcome.sha256)
        assert entry is not None
        return entry.id


def scored(
    data: bytes,
    probability: float,
    model_version: str = "m-1",
    spots: Sequence[tuple[int, int]] = MIDDLE,
) -> Outcome:
    """Return the outcome that a model would have had for a film."""
    film = intake.read_radiograph(data)
    shares = (probability * 0.75, probability * 0.25)
    return Outcome(
        sha256(data).hexdigest(),
        ScoringState.SCORED,
        Priority.HIGH if probability >= BALANCED.threshold else Priority.LOW,
        prediction=Prediction(
            *shares, evidence(*spots), model_version, heat_scale=HeatScale(0.0, 2.0)
        ),
        operating_point=BALANCED,
        header=film.header,
        file_format=film.file_format,
        rows=film.rows,
        columns=film.columns,
        remarks=film.remarks,
    )
