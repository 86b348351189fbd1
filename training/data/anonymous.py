"""Labelled films and their probabilities without anything that identifies a patient."""

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
    """Return the truth and probabilities of each film, with a number for its patient.

    Parameters
    ----------
    probabilities
        Shape ``(n, 3)``: normal, bacterial, viral; the last two NaN if the model
        distinguishes no causes.
    films
        The films, in the same order.
    data
        The folder or manifest of the films; only its name is kept.
    groups
        As in `reference_scores.FilmScores`.
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
