"""Random scores of fictitious films, for tests of figures that are computed from scores."""

from pathlib import Path

import numpy as np

from training.data.dataset import LabelledFilm
from training.measure.predictions import FilmDetails, Predictions


def scored_films(
    normal: int = 40,
    bacterial: int = 40,
    viral: int = 40,
    *,
    seed: int = 0,
    films_each: int = 2,
    with_causes: bool = True,
) -> Predictions:
    """Films with plausible scores: good, not perfect; `films_each` of each patient."""
    generator = np.random.default_rng(seed)
    causes = [""] * normal + ["bacterial"] * bacterial + ["viral"] * viral
    log_odds = np.where(np.array(causes) == "", -1.5, 1.5) + generator.normal(0, 1.2, len(causes))
    pneumonia = 1 / (1 + np.exp(-log_odds))
    share = np.clip(
        np.where(np.array(causes) == "viral", 0.35, 0.65) + generator.normal(0, 0.2, len(causes)),
        0.01,
        0.99,
    )
    by_cause = [pneumonia * share, pneumonia * (1 - share)]
    if not with_causes:
        by_cause = [np.full(len(causes), np.nan)] * 2
    films = [
        LabelledFilm(
            Path(f"{number}.jpeg"),
            "PNEUMONIA" if cause else "NORMAL",
            cause,
            f"{cause}{number // films_each}",
            "",
        )
        for number, cause in enumerate(causes)
    ]
    facts = [FilmDetails(f"{number:064x}", rejected=False) for number in range(len(films))]
    return Predictions(films, facts, np.column_stack([1 - pneumonia, *by_cause]), [])
