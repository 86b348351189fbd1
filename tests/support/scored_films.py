"""Films that were received and scored, whose results can be sent."""

import numpy as np

from cxr_app import priority
from cxr_app.film_store import FilmStore
from cxr_app.imaging import intake
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.prediction import HeatScale, Prediction
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.outcomes import OPERATING_POINTS


def score_film(settings: Settings, worklist: Worklist, data: bytes, evidence: float = 3.0) -> str:
    """Receive a film, and record a score with the same evidence everywhere."""
    films = FilmStore(settings.films_dir)
    sha256 = films.keep(data)
    worklist.receive(sha256, "film.dcm", films.path(sha256))
    cells = np.full((14, 14), evidence, np.float32)
    prediction = Prediction(0.6, 0.2, cells, "model-1", heat_scale=HeatScale(0.0, 2.0))
    return worklist.record(
        Outcome(
            sha256,
            ScoringState.SCORED,
            priority.assign(prediction, OPERATING_POINTS),
            prediction=prediction,
            operating_point=OPERATING_POINTS["balanced"],
            header=intake.read_radiograph(data).header,
            file_format="DICOM",
        )
    )
