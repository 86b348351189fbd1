"""How much of the lungs the heat marks, by class and zone: an estimate, not validated."""

from typing import Any

import numpy as np

from cxr_app.evaluation.metrics import Booleans
from cxr_app.lung_fields import LUNGS, THIRDS
from training.measure.predictions import Predictions, mean_with_interval

LARGEST = 8
"""Of an extent score."""


def extent_figures(scored: Predictions) -> dict[str, Any]:
    """Summarise the extent of films with and without pneumonia; nothing if no lungs were found.

    Returns
    -------
    dict
        ``extent`` with ``films`` (with two lungs), and for ``pneumonia`` and ``normal`` the
        ``score`` from 0 to 8 with interval, and each zone's mean marked share. Of films with
        radiologists' boxes ``against_boxes``: ``films``, the mean score of ``heat`` and of
        ``boxes``, and ``difference``, the mean of how far the two are apart, with interval.
    """
    found = np.array([extent is not None for extent in scored.extents], dtype=bool)
    if not found.any():
        return {}
    part = scored.part(found)
    return {
        "extent": {
            "films": len(part.films),
            "pneumonia": _class_figures(part, part.truth),
            "normal": _class_figures(part, ~part.truth),
            **_against_boxes(part),
        }
    }


def _against_boxes(scored: Predictions) -> dict[str, Any]:
    chosen = np.array([each is not None for each in scored.boxed], dtype=bool)
    if not chosen.any():
        return {}
    part = scored.part(chosen)
    heat, boxes = (
        np.array([each.score for each in extents if each is not None], dtype=float)
        for extents in (part.extents, part.boxed)
    )
    return {
        "against_boxes": {
            "films": len(part.films),
            "heat": float(heat.mean()),
            "boxes": float(boxes.mean()),
            "difference": mean_with_interval(np.abs(heat - boxes), part.patients),
        }
    }


def _class_figures(scored: Predictions, chosen: Booleans) -> dict[str, Any]:
    part = scored.part(chosen)
    extents = [extent for extent in part.extents if extent is not None]
    shares = np.array([extent.score / LARGEST for extent in extents])
    mean = mean_with_interval(shares, part.patients, share=True)
    zones = [f"{lung} {third}" for lung in LUNGS for third in THIRDS]
    return {
        "films": len(extents),
        "score": {
            "value": LARGEST * mean["value"],
            "ci95": [LARGEST * edge for edge in mean["ci95"]],
        },
        "zones": {
            zone: float(np.mean([extent.zones.get(zone, 0.0) for extent in extents]))
            for zone in zones
            if extents
        },
    }
