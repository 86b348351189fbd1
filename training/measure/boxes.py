"""Radiologists' boxes around opacities, as a manifest has them, on the grid of a whole film."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = Sequence[tuple[float, float, float, float]]
"""``left, top, right, bottom`` as fractions of the film."""


def boxes_of(written: str, rows: int, columns: int) -> Boxes:
    """Read the boxes of a film as fractions of it.

    Parameters
    ----------
    written
        ``x y width height`` in pixels, boxes divided by ``|``; empty for none.
    rows, columns
        Of the film.
    """
    found = []
    for box in filter(None, written.split("|")):
        x, y, width, height = map(float, box.split())
        found.append((x / columns, y / rows, (x + width) / columns, (y + height) / rows))
    return found


def drawn(boxes: Boxes, side: int) -> NDArray[np.bool_]:
    """Return which cells of a grid of ``side`` x ``side`` have their middle in a box."""
    middles = (np.arange(side) + 0.5) / side
    cells = np.zeros((side, side), bool)
    for left, top, right, bottom in boxes:
        rows = (middles >= top) & (middles <= bottom)
        cells |= rows[:, None] & ((middles >= left) & (middles <= right))[None, :]
    return cells
