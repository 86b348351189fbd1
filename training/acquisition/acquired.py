"""Thumbnails at hand as pictures, with their acquisition groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import Image
from training.acquisition.fingerprint import SIDE, ThumbnailPixels, Thumbnails
from training.acquisition.groups import FEWEST, one_class_groups
from training.data.dataset import LabelledFilm


@dataclass(frozen=True, slots=True)
class Acquired:
    """Thumbnails at hand as pictures, and their acquisition groups.

    Parameters
    ----------
    films, pixels, groups, shapes
        In the same order: pixels ``(n, SIDE, SIDE)``; shapes are rows and columns of the films as
        they came, ``(n, 2)``.
    """

    films: Sequence[LabelledFilm]
    pixels: Thumbnails
    groups: Sequence[str]
    shapes: NDArray[np.int_]

    def group_of(self) -> dict[str, str]:
        """Return the group by path."""
        return {str(film.path): name for film, name in zip(self.films, self.groups, strict=True)}

    def traps(self) -> list[str]:
        """Return the groups whose films all have the same class."""
        return one_class_groups(self.groups, [film.target == "PNEUMONIA" for film in self.films])

    def donors(self) -> dict[str, NDArray[np.intp]]:
        """Return the films of each group that is large enough to lend its look."""
        names = np.array(self.groups)
        places = {str(name): np.flatnonzero(names == name) for name in sorted(set(self.groups))}
        return {name: found for name, found in places.items() if len(found) >= FEWEST}


def to_pixels(image: Image) -> ThumbnailPixels:
    """Squeeze a film to `SIDE` pixels."""
    pixels: ThumbnailPixels = np.rint(resize_to_square(image, SIDE) * 255).astype(np.uint8)
    return pixels
