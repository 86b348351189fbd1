"""Lung fields of a film: where both lungs are, their zones, and how much of each is marked.

Plain values; how they are found is `model.lung_finder`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
LUNGS = ("right", "left")
"""Of the patient; the right lung lies on the left side of a film that is not mirrored."""
THIRDS = ("upper", "middle", "lower")

CUT_OFF = 0.125
"""Share of an edge of the film that must be lung for the lung to count as cut off there."""

EXTENT_STEPS = (0.0, 0.25, 0.5, 0.75)
"""Shares of a lung above which its extent rises by one (Cohen et al. 2020, geographic extent)."""


@dataclass(frozen=True, slots=True, eq=False)
class LungFields:
    """The lungs of one film.

    Parameters
    ----------
    mask
        Boolean, ``(h, w)`` on a grid that divides the film evenly: the two lungs, or what was
        found in their place.
    found
        Whether these are two lungs; otherwise the pneumonia networks read the whole film.
    cut_off
        Edges of the film (``left``, ``right``, ``top``, ``bottom``) at which a lung ends.
    """

    mask: Mask
    found: bool
    cut_off: tuple[str, ...] = ()


def lungs_of(mask: Mask, *, found: bool) -> LungFields:
    """Return the lung fields of a mask; the edges at which they are cut off follow from it."""
    return LungFields(mask, found=found, cut_off=_edges_reached(mask) if found else ())


def _edges_reached(mask: Mask) -> tuple[str, ...]:
    edges = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    return tuple(name for name, edge in edges.items() if edge.mean() >= CUT_OFF)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the lungs a heatmap marks; an estimate that has not been validated.

    Parameters
    ----------
    zones
        Share of each zone that is marked, in ``[0, 1]``, by name such as ``right upper``.
    parts
        Share of all that is marked within the lungs, by zone; they add up to 1 or are all 0.
    score
        Geographic extent, 0 to 8: 0 to 4 for each lung.
    """

    zones: Mapping[str, float]
    parts: Mapping[str, float]
    score: int

    @property
    def main_zone(self) -> str:
        """The zone with the largest marked share; empty if nothing is marked."""
        zone = max(self.zones, key=lambda name: self.zones[name], default="")
        return zone if zone and self.zones[zone] > 0 else ""


def zones_of(mask: Mask) -> dict[str, Mask]:
    """Divide each lung into thirds of its height.

    The lungs are separated at the column halfway between the outer edges of both.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return {}
    middle = (columns.min() + columns.max() + 1) / 2
    across = np.arange(mask.shape[1]) + 0.5 < middle
    zones: dict[str, Mask] = {}
    for lung, side in zip(LUNGS, (across, ~across), strict=True):
        own = mask & side[None, :]
        heights = np.flatnonzero(own.any(axis=1))
        if not len(heights):
            continue
        edges = np.linspace(heights[0], heights[-1] + 1, len(THIRDS) + 1)
        row = np.arange(mask.shape[0]) + 0.5
        for third, (start, end) in zip(THIRDS, pairwise(edges), strict=True):
            zones[f"{lung} {third}"] = own & ((row >= start) & (row < end))[:, None]
    return zones


def extent_of(lungs: LungFields, marked: Mask, involved: Mask | None = None) -> Extent | None:
    """Measure how much of each zone is marked; None if no two lungs were found.

    Parameters
    ----------
    marked
        Boolean, any shape ``(h, w)``: the cells of a map over the whole film that are marked.
    involved
        Those of them that the score counts; None for all. Where lung is marked, it is 1 at least.
    """
    if not lungs.found:
        return None
    zones = zones_of(lungs.mask)
    sizes = {name: int(np.count_nonzero(zone)) for name, zone in zones.items()}
    counts = _counts(zones, lungs.mask, marked)
    total = sum(counts.values())
    score = _score(sizes, counts if involved is None else _counts(zones, lungs.mask, involved))
    return Extent(
        zones={name: count / max(1, sizes[name]) for name, count in counts.items()},
        parts={name: count / max(1, total) for name, count in counts.items()},
        score=max(score, int(total > 0)),
    )


def _counts(zones: Mapping[str, Mask], lungs: Mask, cells: Mask) -> dict[str, int]:
    """Count the pixels of each zone that lie in chosen cells of a map over the whole film."""
    rows, columns = (
        np.arange(side) * cells.shape[axis] // side for axis, side in enumerate(lungs.shape)
    )
    on_lungs = cells[np.ix_(rows, columns)]
    return {name: int(np.count_nonzero(zone & on_lungs)) for name, zone in zones.items()}


def _score(sizes: Mapping[str, int], counts: Mapping[str, int]) -> int:
    """Return 0 to 4 for each lung, added up."""
    score = 0
    for lung in LUNGS:
        own = [name for name in sizes if name.startswith(lung)]
        share = sum(counts[name] for name in own) / max(1, sum(sizes[name] for name in own))
        score += sum(share > step for step in EXTENT_STEPS)
    return score
