"""The heatmap: evidence on the network's grid, put on the film's own pixels, on one fixed scale.

A map is never stretched to its own maximum: the same colour means the same evidence on every
film, and a film with nothing to show shows nothing.
"""

from typing import cast

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.prediction import ActivationMap, HeatScale

HeatArray = NDArray[np.float32]
"""Share of the full colour, in ``[0, 1]``; 0 = nothing to show."""

OUTLINE_LEVEL = 0.25
"""Heat along which the outline runs."""


def heat(activation_map: ActivationMap, scale: HeatScale) -> HeatArray:
    """Map evidence to the fixed scale.

    Parameters
    ----------
    activation_map
        Shape ``(h, w)``, log-odds above the operating point.
    scale
        From the checkpoint that made the map.
    """
    share = (activation_map - scale.begin) / (scale.full - scale.begin)
    bounded: HeatArray = np.clip(share, 0.0, 1.0).astype(np.float32)
    return bounded


def on_film(cells: HeatArray, rows: int, columns: int) -> HeatArray:
    """Resize heat to the film: the inverse of `preprocessing.resize_to_square`.

    Each cell of the grid covers the same fraction of the film's height and width; between the
    cells' centres the heat runs smoothly and never beyond their values.

    Returns
    -------
    Heat
        Shape ``(rows, columns)``.
    """
    grid = PillowImage.fromarray(np.ascontiguousarray(cells, dtype=np.float32), mode="F")
    laid = grid.resize((columns, rows), PillowImage.Resampling.BICUBIC)
    bounded: HeatArray = np.clip(np.asarray(laid), 0.0, cells.max(), dtype=np.float32)
    return bounded


def outline(heat_on_film: HeatArray, level: float = OUTLINE_LEVEL) -> list[NDArray[np.float64]]:
    """Draw the lines along which the heat crosses `level`.

    Returns
    -------
    list of arrays
        Each of shape ``(n, 2)``: x and y as fractions of the film's width and height. Empty
        where the heat stays below the level.
    """
    rows, columns = heat_on_film.shape
    framed = np.pad(heat_on_film, 1)  # so that a line along the film's edge is closed
    lines = cast(list[NDArray[np.float64]], contour_generator(z=framed).lines(level))
    # Pixel centres lie at half pixels; the frame moved everything by one.
    return [np.clip((line - 0.5) / (columns, rows), 0.0, 1.0) for line in lines]
