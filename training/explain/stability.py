"""Stability: how much score and map change under irrelevant changes to the film."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from cxr_app.evaluation.metrics import Floats
from cxr_app.prediction import ActivationMap
from cxr_app.radiograph import Image
from training.explain.cams import Explained, Explainer
from training.explain.perturbations import DISTURBANCES

MIRRORED = "mirrored"


@dataclass(frozen=True, slots=True)
class FilmStability:
    """One film under each of `perturbations.DISTURBANCES`, in their order, each ``(k,)``.

    Parameters
    ----------
    score_change
        Absolute change of the probability of pneumonia.
    map_similarity
        Rank correlation with the map of the unchanged film.
    heat_change
        Mean over the film of the absolute change in heat.
    """

    score_change: Floats
    map_similarity: Floats
    heat_change: Floats


def measure_stability(explainer: Explainer, image: Image, plain: Explained) -> FilmStability:
    """Change a film in every way, and measure the effect on score and map.

    Parameters
    ----------
    plain
        Result of the explainer for the unchanged film alone.
    """
    size = explainer.classifier.description.input_spec.size
    changed = [change(image, size) for change in DISTURBANCES.values()]
    explained = explainer.explain([explainer.classifier.prepare(film) for film in changed])
    maps = [
        found[:, ::-1] if name == MIRRORED else found
        for name, found in zip(DISTURBANCES, explained.maps, strict=True)
    ]
    before = plain.maps[0]
    return FilmStability(
        np.abs(explained.pneumonia - plain.pneumonia[0]),
        np.array([similarity(before, after) for after in maps]),
        np.array([np.abs(explainer.heat(m) - explainer.heat(before)).mean() for m in maps]),
    )


def similarity(one: ActivationMap, other: ActivationMap) -> float:
    """Compute the rank correlation of two maps' cells (Spearman); 0 if one of them is flat."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def stability_summary(films: Sequence[FilmStability]) -> list[dict[str, Any]]:
    """Summarise the films, one entry a disturbance."""
    found = []
    for place, name in enumerate(DISTURBANCES):
        scores = np.array([film.score_change[place] for film in films])
        maps = np.array([film.map_similarity[place] for film in films])
        heat = np.array([film.heat_change[place] for film in films])
        found.append(
            {
                "change": name,
                "score_mean_change": float(scores.mean()),
                "score_largest_change": float(scores.max()),
                "map_similarity": float(maps.mean()),
                "map_least_similarity": float(maps.min()),
                "heat_mean_change": float(heat.mean()),
            }
        )
    return found
