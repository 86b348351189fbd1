"""The pointing game: whether the hottest place of a heatmap lies in a radiologist's box.

Zhang et al. 2018. Beside it stand what a random place reaches, and the best fixed place: in lungs
opacities lie in few places, so that a map which always marks the same one is right often.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import Floats
from training.measure.boxes import Boxes, boxes_of, drawn
from training.measure.predictions import Predictions, mean_with_interval

GRID = 56
"""Cells along a side of the grid that fixed places are tried on."""


def pointing(scored: Predictions) -> dict[str, Any]:
    """Measure the peaks of films that have boxes; nothing if there are none.

    Returns
    -------
    dict
        ``peak_in_box`` with ``peak_in_box_ci95``, ``peak_in_box_films``,
        ``peak_in_box_by_chance`` (mean share of the film in boxes) and
        ``peak_in_box_fixed_place`` (the best place of the other patients' boxes, for each film).
    """
    chosen = np.array([bool(film.boxes) for film in scored.films])
    if scored.peaks is None or not chosen.any():
        return {}
    part = scored.part(chosen)
    boxes = [
        boxes_of(film.boxes, fact.rows, fact.columns)
        for film, fact in zip(part.films, part.facts, strict=True)
    ]
    peaks = part.peaks if part.peaks is not None else np.empty((0, 2))
    hits = np.array([_is_inside(peak, each) for peak, each in zip(peaks, boxes, strict=True)])
    grids = np.stack([drawn(each, GRID) for each in boxes])
    found = mean_with_interval(hits.astype(float), part.patients, share=True)
    return {
        "peak_in_box": found["value"],
        "peak_in_box_ci95": list(found["ci95"]),
        "peak_in_box_films": len(hits),
        "peak_in_box_by_chance": float(grids.mean()),
        "peak_in_box_fixed_place": _fixed_place(grids, np.array(part.patients)),
    }


def _is_inside(peak: Floats, boxes: Boxes) -> bool:
    x, y = float(peak[0]), float(peak[1])
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def _fixed_place(grids: NDArray[np.bool_], patients: NDArray[np.str_]) -> float | None:
    """Return how often the most frequent place of the other patients' boxes is in a film's own."""
    if len(np.unique(patients)) < 2:
        return None
    hits = []
    for patient in np.unique(patients):
        own = patients == patient
        best = np.unravel_index(int(grids[~own].sum(axis=0).argmax()), (GRID, GRID))
        hits += grids[own][:, best[0], best[1]].tolist()
    return float(np.mean(hits))
