"""From a film to what the network sees, and nothing else: training and reading share this file.

The whole film is resized to a square, as the films that the network learned from were. No part
of it is cut off, so a place on the network's grid is the same fraction of the film (see
`activation_map.on_film` for the way back).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.radiograph import SCORED_SIDE, Image

NetworkInput = NDArray[np.float32]
"""What the network sees: shape ``(size, size)``, normalised by `InputSpec`."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a film becomes the network's input; it travels with the weights.

    Parameters
    ----------
    size
        Side of the square in pixels.
    mean, standard_deviation
        Of the training films' grey values in ``[0, 1]``.
    """

    size: int
    mean: float
    standard_deviation: float

    def __post_init__(self) -> None:
        if not 16 <= self.size <= SCORED_SIDE:
            raise ValueError(f"size must be 16 to {SCORED_SIDE} pixels, got {self.size}")
        if not self.standard_deviation > 0:
            raise ValueError(f"standard_deviation must be above 0, got {self.standard_deviation}")


def resize_to_square(image: Image, size: int) -> Image:
    """Resize a film to a square of `size` pixels, whatever its aspect ratio.

    Bilinear with antialiasing: of Pillow's and OpenCV's filters it comes nearest to how the
    published 224-pixel films were made from their originals (mean difference 1.6 of 255 grey
    levels; a box filter 2.0, no antialiasing 3.0). An image of that size already is returned
    unchanged.

    Returns
    -------
    Image
        ``float32``, shape ``(size, size)``, in ``[0, 1]``.
    """
    if image.shape == (size, size):
        return image
    film = PillowImage.fromarray(image, mode="F")
    resized = np.asarray(film.resize((size, size), PillowImage.Resampling.BILINEAR))
    bounded: Image = np.clip(resized, 0.0, 1.0, dtype=np.float32)
    return bounded


def to_input(image: Image, spec: InputSpec) -> NetworkInput:
    """Squeeze a film to the network's size and normalise its grey values."""
    resized = resize_to_square(image, spec.size)
    normal: NetworkInput = ((resized - spec.mean) / spec.standard_deviation).astype(np.float32)
    return normal
