"""Changes to a film that leave its lungs as they are: a sound score hardly moves under them.

Each takes a film of any size and the side of the network's input in pixels, and gives a film.
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
"""Of the film's side: width of the ring that `without_ring` blanks."""
UPPER_CORNER, LOWER_CORNER = 0.25, 0.15
"""Of the film's side: squares that `without_corners` blanks."""
LETTER_HEIGHTS, LETTER_WIDTHS = (0.025, 0.1), (0.015, 0.08)
"""Of the film's side: what is larger or smaller is no letter; edges of ribs are longer."""
LETTER_STROKE = 0.05
"""Of the film's side: broader than the strokes of a letter."""
LETTER_EDGE, LETTER_CONTRAST = 0.12, 0.28
"""By how much a letter's edge, and a quarter of it, are brighter than what is around it."""


def without_ring(image: Image, size: int) -> Image:
    """Blank the outermost ring with the grey just inside it; black would be a border of its own."""
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
    """Take off small bright marks that stand alone: letters, digits, clips."""
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
    """Say whether a mark has the size and the contrast of a letter."""
    limits = zip(mark.shape, (LETTER_HEIGHTS, LETTER_WIDTHS), strict=True)
    fits = all(low * size <= side <= high * size for side, (low, high) in limits)
    return fits and bool(np.quantile(height[mark], 0.75) > LETTER_CONTRAST)


def resized(image: Image, size: int, *, times: float) -> Image:
    """Bring the film to so many times the network's size first, as if it had come like that."""
    return resize_to_square(resize_to_square(image, max(1, round(size * times))), size)


def compressed(image: Image, size: int, *, quality: int) -> Image:
    """Encode the film as JPEG at its own size, and decode it again."""
    buffer = io.BytesIO()
    PillowImage.fromarray(np.rint(image * 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=quality
    )
    return np.asarray(PillowImage.open(buffer), dtype=np.float32) / np.float32(255)


def shifted(image: Image, size: int, *, rows: int, columns: int) -> Image:
    """Move the film by whole pixels of the network's input; its edge is repeated."""
    film = resize_to_square(image, size)
    down, right = np.arange(size) - rows, np.arange(size) - columns
    moved: Image = film[np.ix_(down.clip(0, size - 1), right.clip(0, size - 1))]
    return moved


def mirrored(image: Image, size: int) -> Image:
    """Exchange left and right."""
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
"""What might tell the class without the lung: the score must not live on it."""

DISTURBANCES: Mapping[str, Change] = {
    "one pixel up": partial(shifted, rows=-1, columns=0),
    "one pixel down": partial(shifted, rows=1, columns=0),
    "one pixel left": partial(shifted, rows=0, columns=-1),
    "one pixel right": partial(shifted, rows=0, columns=1),
    "JPEG quality 90": partial(compressed, quality=90),
    "JPEG quality 75": partial(compressed, quality=75),
    "mirrored": mirrored,
}
"""What must move neither score nor heatmap; the mirrored film's map is mirrored back first."""
