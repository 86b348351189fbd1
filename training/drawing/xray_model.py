"""Thickness of simple shapes along the rays, for drawing films: tubes, bones and balls."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

Field = NDArray[np.float32]
"""One value per point of the drawing grid, shape ``(h, w)``."""


def enlarge(grid: Field, rows: int, columns: int) -> Field:
    """Enlarge a coarse grid smoothly."""
    picture = PillowImage.fromarray(grid).resize((columns, rows), PillowImage.Resampling.BICUBIC)
    return np.array(picture, dtype=np.float32)


def texture(rng: np.random.Generator, cells: int, rows: int, columns: int) -> Field:
    """Draw smooth noise around 0, mostly within ±1, with `cells` lumps along each side."""
    return enlarge(rng.normal(0.0, 1.0, (cells, cells)).astype(np.float32), rows, columns)


def soft_step(distance: Field, softness: float) -> Field:
    """Return 0 for negative distances and 1 for positive ones, with a soft edge."""
    rise: Field = 0.5 + 0.5 * np.tanh(distance / np.float32(softness))
    return rise


def tube(distance: Field, radius: float) -> Field:
    """Return the thickness of a solid tube seen from the side, 1 in its middle."""
    thickness: Field = np.sqrt(np.maximum(0.0, 1.0 - (distance / np.float32(radius)) ** 2))
    return thickness


def shell(distance: Field, radius: float) -> Field:
    """Return the thickness of a hollow bone: its walls are brighter than its marrow."""
    return 1.3 * tube(distance, radius) - 0.6 * tube(distance, 0.75 * radius)


def ball(across: Field, down: Field) -> Field:
    """Return the thickness of a ball, 1 in its middle."""
    thickness: Field = np.sqrt(np.maximum(0.0, 1.0 - across**2 - down**2))
    return thickness
