"""Changes to a film that do not affect its lungs: a sound score hardly changes.

Each takes a film of any size and the side of the network's input in pixels, and returns a film.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage

from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import Image

Change = Callable[[Image, int], Image]

RING = 0.04
"""Width of the ring that `without_ring` blanks, as a fraction of the film's side."""
UPPER_CORNER, LOWER_CORNER = 0.25, 0.15
"""Squares that `without_corners` blanks, as fractions of the film's side."""
LETTER_HEIGHTS, LETTER_WIDTHS = (0.025, 0.1), (0.015, 0.08)
"""Size of a letter, as fractions of the film's side; edges of ribs are longer."""
LETTER_STROKE = 0.05
"""More than the width of a letter's strokes, as a fraction of the film's side."""
LETTER_EDGE, LETTER_CONTRAST = 0.12, 0.28
"""How much brighter than its surroundings a letter's edge is, and its brightest quarter."""


def without_ring(image: Image, size: int) -> Image:
    """Blank the outermost ring with the grey just inside it; black would be a new border."""
    film = resize_to_square(image, size)
    width = max(1, round(RING * size))
    return np.pad(film[width:-width, width:-width], width, mode="edge")


def without_corners(image: Image, size: int) -> Image:
    """Blank the four corners, each with its own median."""
    film = resize_to_square(image, size).copy()
    upper, lower = round(UPPER_CORNER * size), round(LOWER_CORNER * size)
    for corner in (
        film[:upper, :upper],
        film[:upper, -upper:],
        film[-lower:, :lower],
        film[-lower:, -lower:],
    ):
        corner[:] = np.median(corner)
    return film


def without_letters(image: Image, size: int) -> Image:
    """Remove small, isolated bright marks: letters, digits, clips."""
    film = resize_to_square(image, size)
    ground = ndimage.grey_opening(film, size=max(3, round(LETTER_STROKE * size)))
    height = film - ground
    marks, _ = ndimage.label(height > LETTER_EDGE, structure=np.ones((3, 3)))
    letters = np.zeros(film.shape, dtype=bool)
    for number, place in enumerate(ndimage.find_objects(marks), start=1):
        mark = marks[place] == number
        if _is_letter(mark, height[place], size):
            letters[place] |= mark
    cleaned: Image = np.where(ndimage.binary_dilation(letters, iterations=2), ground, film)
    return cleaned


def _is_letter(mark: NDArray[np.bool_], height: Image, size: int) -> bool:
    """Check whether a mark has the size and the contrast of a letter."""
    limits = zip(mark.shape, (LETTER_HEIGHTS, LETTER_WIDTHS), strict=True)
    fits = all(low * size <= side <= high * size for side, (low, high) in limits)
    return fits and bool(np.quantile(height[mark], 0.75) > LETTER_CONTRAST)


def resized(image: Image, size: int, *, times: float) -> Image:
    """Resize the film to `times` the network's size, as if it had been exported so."""
    return resize_to_square(resize_to_square(image, max(1, round(size * times))), size)


def compressed(image: Image, size: int, *, quality: int) -> Image:
    """Encode the film as JPEG at its own size and decode it."""
    buffer = io.BytesIO()
    PillowImage.fromarray(np.rint(image * 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=quality
    )
    return np.asarray(PillowImage.open(buffer), dtype=np.float32) / np.float32(255)


def shifted(image: Image, size: int, *, rows: int, columns: int) -> Image:
    """Shift the film by whole pixels of the network's input; its edge is repeated."""
    film = resize_to_square(image, size)
    down, right = np.arange(size) - rows, np.arange(size) - columns
    moved: Image = film[np.ix_(down.clip(0, size - 1), right.clip(0, size - 1))]
    return moved


def mirrored(image: Image, size: int) -> Image:
    """Swap left and right."""
    return np.ascontiguousarray(image[:, ::-1])


SHORTCUTS: Mapping[str, Change] = {
    "border ring blanked": without_ring,
    "corners blanked": without_corners,
    "letters blanked": without_letters,
    "half the network's size": partial(resized, times=0.5),
    "twice the network's size": partial(resized, times=2.0),
    "JPEG quality 75": partial(compressed, quality=75),
    "JPEG quality 50": partial(compressed, quality=50),
}
"""Properties besides the lungs that correlate with the class; the score must not use them."""

DISTURBANCES: Mapping[str, Change] = {
    "one pixel up": partial(shifted, rows=-1, columns=0),
    "one pixel down": partial(shifted, rows=1, columns=0),
    "one pixel left": partial(shifted, rows=0, columns=-1),
    "one pixel right": partial(shifted, rows=0, columns=1),
    "JPEG quality 90": partial(compressed, quality=90),
    "JPEG quality 75": partial(compressed, quality=75),
    "mirrored": mirrored,
}
"""Changes that must alter neither score nor map; a mirrored film's map is mirrored back."""
