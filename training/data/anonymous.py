"""Labelled films and what a checkpoint says of them, without anything that tells whose they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cxr_app.evaluation.metrics import Floats
from cxr_app.evaluation.reference_scores import FilmScores
from training.data.dataset import LabelledFilm


def anonymous(
    probabilities: Floats,
    films: Sequence[LabelledFilm],
    *,
    model_version: str,
    data: Path,
    partition: str,
    groups: Mapping[str, tuple[str, ...]] | None = None,
) -> FilmScores:
    """Leave of each film what it is, what was said of it, and a number for its patient.

    Parameters
    ----------
    probabilities
        Shape ``(n, 3)``: normal, bacterial, viral; the last two NaN where no cause is told.
    films
        The films, in the same order.
    data
        The folder or manifest of the films; its name alone is kept.
    groups
        As in `film_scores.FilmScores`.
    """
    _, patients = np.unique([film.patient_id for film in films], return_inverse=True)
    return FilmScores(
        model_version=model_version,
        data=data.resolve().name,
        partition=partition,
        pneumonia=np.clip(1 - probabilities[:, 0], 0, 1),
        bacterial=probabilities[:, 1],
        viral=probabilities[:, 2],
        truth=np.array([film.target == "PNEUMONIA" for film in films]),
        causes=tuple(film.cause for film in films),
        patients=patients,
        groups=groups or {},
    )
