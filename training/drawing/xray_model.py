"""How thick what the rays pass is, for drawing films: edges, tubes, bones and balls."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

Field = NDArray[np.float32]
"""One value per point of the drawing grid, shape ``(h, w)``."""


def enlarge(grid: Field, rows: int, columns: int) -> Field:
    """Bring a coarse grid smoothly to another size."""
    picture = PillowImage.fromarray(grid).resize((columns, rows), PillowImage.Resampling.BICUBIC)
    return np.array(picture, dtype=np.float32)


def texture(rng: np.random.Generator, cells: int, rows: int, columns: int) -> Field:
    """Draw smooth unevenness around 0, mostly within one, `cells` lumps abreast."""
    return enlarge(rng.normal(0.0, 1.0, (cells, cells)).astype(np.float32), rows, columns)


def soft_step(distance: Field, softness: float) -> Field:
    """0 where `distance` is below 0, 1 where it is above, and soft between."""
    rise: Field = 0.5 + 0.5 * np.tanh(distance / np.float32(softness))
    return rise


def tube(distance: Field, radius: float) -> Field:
    """Thickness of a full tube seen from the side, 1 in its middle."""
    thickness: Field = np.sqrt(np.maximum(0.0, 1.0 - (distance / np.float32(radius)) ** 2))
    return thickness


def shell(distance: Field, radius: float) -> Field:
    """Thickness of a hollow bone seen from the side: its walls are brighter than its marrow."""
    return 1.3 * tube(distance, radius) - 0.6 * tube(distance, 0.75 * radius)


def ball(across: Field, down: Field) -> Field:
    """Thickness of a ball seen from the side, 1 in its middle."""
    thickness: Field = np.sqrt(np.maximum(0.0, 1.0 - across**2 - down**2))
    return thickness
