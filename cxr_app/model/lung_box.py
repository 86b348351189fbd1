"""Box around both lungs: the part of a film that the pneumonia networks read.

It follows from where the bulk of the lungs lies, not from single pixels of their outline, so that
it moves a little, not by whole pixels, where a film changes a little (compression, resampling).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxr_app.lung_fields import LungFields
from cxr_app.model.lung_finder import find_lungs

Box = tuple[float, float, float, float]
"""``left, top, right, bottom`` as fractions of the film's width and height."""

WHOLE_FILM: Box = (0.0, 0.0, 1.0, 1.0)

TAIL = 0.01
"""Share of the lungs' area that lies beyond each edge before the margin is added."""
ACROSS, ABOVE, BELOW = 0.10, 0.12, 0.15
"""Margins as shares of width and height: the box is then on average the outline's, with 6 %."""
UNSURE, SURE = 0.25, 0.75
"""Probabilities of lung between which a pixel counts in part."""
RIM = 2
"""Pixels around an outline in which a pixel may still count in part."""


def box_of(probability: NDArray[np.float32], lungs: LungFields) -> Box:
    """Return the box of two lungs with its margins, or the whole film if they were not found.

    Parameters
    ----------
    probability
        Of lung, in ``[0, 1]``, shape ``(h, w)``.
    lungs
        What `lung_finder.find_lungs` found in it.
    """
    if not lungs.found:
        return WHOLE_FILM
    near = ndimage.binary_dilation(lungs.mask, iterations=RIM)
    lung = np.where(near, np.clip((probability - UNSURE) / (SURE - UNSURE), 0, 1), 0)
    left, right = _ends(lung.sum(axis=0, dtype=np.float64))
    top, bottom = _ends(lung.sum(axis=1, dtype=np.float64))
    wide, high = right - left, bottom - top
    return (
        max(left - ACROSS * wide, 0.0),
        max(top - ABOVE * high, 0.0),
        min(right + ACROSS * wide, 1.0),
        min(bottom + BELOW * high, 1.0),
    )


def lungs_and_boxes(
    probabilities: NDArray[np.float32],
) -> tuple[tuple[LungFields, ...], list[Box]]:
    """Find the lungs of a batch of films, and the box around those of each.

    Parameters
    ----------
    probabilities
        Of lung, in ``[0, 1]``, shape ``(B, h, w)``.
    """
    lungs = tuple(find_lungs(each) for each in probabilities)
    return lungs, [box_of(each, its) for each, its in zip(probabilities, lungs, strict=True)]


def _ends(profile: NDArray[np.float64]) -> tuple[float, float]:
    """Return where the first and the last hundredth of a profile end, in ``[0, 1]``."""
    share = np.concatenate([[0.0], np.cumsum(profile) / profile.sum()])
    place = np.linspace(0, 1, len(share))
    inside = np.flatnonzero(profile)
    kept = slice(inside[0], inside[-1] + 2)  # flat parts before and after have no single place
    first, last = np.interp([TAIL, 1 - TAIL], share[kept], place[kept])
    return float(first), float(last)
