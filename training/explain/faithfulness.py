"""Faithfulness: whether the score really depends on the places that a map marks.

Deletion hides the most strongly marked places first: the sooner the score falls, the better the
map. Insertion shows them first in a hidden film: the sooner the score rises, the better.

A place is hidden by the same place of a clear film. Blurring, grey or black would be a finding of
its own: blurred or evenly grey films are scored as pneumonia, and the score would never fall.

References
----------
Petsiuk, Das and Saenko 2018 (RISE), section 4.3.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.evaluation.metrics import Floats
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import ActivationMap

STEPS = 10
"""Number of equal parts in which a film is hidden or shown."""

ScoreFunction = Callable[[Sequence[NetworkInput]], Floats]


def baseline_maps(
    shape: tuple[int, int], generator: np.random.Generator
) -> Mapping[str, ActivationMap]:
    """Build maps that do not depend on the film, on a grid as coarse as the map's own.

    *random* marks random places, *centred blob* the middle of the film, where the chest is.
    """
    y, x = (np.abs(np.arange(side) + 0.5 - side / 2) / side for side in shape)
    blob = -(y[:, None] ** 2 + x[None, :] ** 2)
    return {
        "random": generator.random(shape, dtype=np.float32),
        "centred blob": blob.astype(np.float32),
    }


def deletion_and_insertion(
    score: ScoreFunction,
    film: NetworkInput,
    clear: NetworkInput,
    marked: ActivationMap,
    generator: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Score a film while the marked places are hidden, and while they are shown.

    Parameters
    ----------
    film, clear
        The film, and the one that hides it.
    marked
        The map, on any even grid.
    generator
        Breaks ties between places that the map marks alike.

    Returns
    -------
    deletion, insertion
        Scores, each ``(STEPS + 1,)``, after 0 to `STEPS` parts.
    """
    part = _parts(marked, len(film), generator)
    steps = range(STEPS + 1)
    deleted = [np.where(part < step, clear, film) for step in steps]
    inserted = [np.where(part < step, film, clear) for step in steps]
    scores = score(deleted + inserted)
    return scores[: STEPS + 1], scores[STEPS + 1 :]


def area(curve: Floats) -> float:
    """Compute the area under a curve over the share of the film, in ``[0, 1]``."""
    return float(np.trapezoid(curve, dx=1 / STEPS))


def _parts(marked: ActivationMap, side: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return the part of every pixel, the most strongly marked in part 0; ties are random."""
    grid = PillowImage.fromarray(np.ascontiguousarray(marked, dtype=np.float32), mode="F")
    smooth = np.asarray(grid.resize((side, side), PillowImage.Resampling.BICUBIC))
    order = np.lexsort((generator.random(side * side), -smooth.ravel()))
    parts = np.empty(side * side, dtype=np.intp)
    parts[order] = np.arange(side * side) * STEPS // (side * side)
    return parts.reshape(side, side)
