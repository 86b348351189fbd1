"""Thresholds of the view network, and its performance by source of films and kind of picture."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from cxr_app.model.networks.view import ViewNetwork, view_logits
from cxr_app.model.screening import ViewClass
from cxr_app.model.view_spec import ViewSpec, frontal_log_odds, mirrored_log_odds, views_of
from training.data.dataset import Films

MAX_REFUSED = 0.005
"""Share of the worst source's tune films that the thresholds may refuse."""
MAX_MIRRORED = 0.02
"""Share of the worst source's upright tune films that may be called mirrored."""
_BATCH = 256
MIRRORED = "mirrored"
WRONG_VIEWS: dict[str, Callable[[Films], Films]] = {
    "turned left": lambda films: np.rot90(films, 1, axes=(-2, -1)),
    "upside down": lambda films: np.rot90(films, 2, axes=(-2, -1)),
    "turned right": lambda films: np.rot90(films, 3, axes=(-2, -1)),
    MIRRORED: lambda films: films[..., ::-1],
    "negative": lambda films: 255 - films,
}
"""Functions that turn one or many 8-bit films, ``(..., rows, columns)``, into a wrong view."""


def batched_logits(network: ViewNetwork, pictures: Films, spec: ViewSpec) -> NDArray[np.float32]:
    """Compute the logits of many pictures, ``(n, size, size) -> (n, 7)``."""
    logits = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            some = np.ascontiguousarray(pictures[start : start + _BATCH])
            batch = torch.from_numpy(some).float()[:, None] / 255
            logits.append(view_logits(network, batch, spec).cpu().numpy())
    return np.concatenate(logits)


def choose_thresholds(network: ViewNetwork, spec: ViewSpec, films: Mapping[str, Films]) -> ViewSpec:
    """Choose the thresholds on real upright films, so that the worst source loses few films."""
    frontal, mirrored = [], []
    for some in films.values():
        logits = batched_logits(network, some, spec)
        frontal.append(float(np.quantile(frontal_log_odds(logits), MAX_REFUSED)))
        mirrored.append(float(np.quantile(mirrored_log_odds(logits), 1 - MAX_MIRRORED)))
    # Never above even odds: a picture that is more likely a film than not is accepted.
    return replace(spec, least_frontal=min(0.0, *frontal), least_mirrored=max(0.0, *mirrored))


def measure_views(
    network: ViewNetwork, spec: ViewSpec, films: Mapping[str, Films], others: Mapping[str, Films]
) -> dict[str, Any]:
    """Count refused and mirrored pictures of every kind, with 95 % intervals (Wilson)."""
    report: dict[str, Any] = {}
    for name, some in films.items():
        kinds = _kinds(network, some, spec)
        report[f"{name}: refused"] = share_with_interval(~_accepted(kinds))
        report[f"{name}: called mirrored"] = share_with_interval(kinds == ViewClass.MIRRORED)
        for view, change in WRONG_VIEWS.items():
            kinds = _kinds(network, change(some), spec)
            noticed = kinds == ViewClass.MIRRORED if view == MIRRORED else ~_accepted(kinds)
            report[f"{name}, {view}: noticed"] = share_with_interval(noticed)
            if view != MIRRORED:
                report[f"{name}, {view}: with that reason"] = share_with_interval(
                    kinds == ViewClass(view)
                )
    for name, some in others.items():
        report[f"{name}: refused"] = share_with_interval(~_accepted(_kinds(network, some, spec)))
    return report


def _kinds(network: ViewNetwork, pictures: Films, spec: ViewSpec) -> NDArray[np.object_]:
    return np.array(views_of(batched_logits(network, pictures, spec), spec), dtype=object)


def _accepted(kinds: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.asarray((kinds == ViewClass.UPRIGHT) | (kinds == ViewClass.MIRRORED), dtype=bool)


def share_with_interval(found: NDArray[Any]) -> dict[str, Any]:
    """Return a share of pictures with its interval (Wilson)."""
    count, total = int(np.count_nonzero(found)), len(found)
    low, high = binomtest(count, total).proportion_ci(method="wilson")
    return {
        "n": total,
        "share": count / total,
        "ci95": [round(float(low), 4), round(float(high), 4)],
    }
