"""Two lungs in the lung network's map: the rule by which they are found.

No network here: probabilities of lung come in, plain values go out.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxr_app.lung_fields import LungFields, Mask, lungs_of

SMALLEST_LUNG = 0.02
"""Share of the film that the smaller of two lungs must fill."""
LARGEST_RATIO = 4.0
"""How many times larger than the other one lung may be."""
LEAST_DISTANCE, LARGEST_TILT = 0.15, 0.25
"""Between the middles of two lungs: across, and in height; as shares of the film."""
JOINED_WIDTH = 0.5
"""Share of the film's width that two lungs in one piece must reach over."""


def find_lungs(probability: NDArray[np.float32]) -> LungFields:
    """Find two lungs in a map of probabilities.

    Parameters
    ----------
    probability
        Of lung, in ``[0, 1]``, shape ``(h, w)``.
    """
    labels, count = ndimage.label(probability > 0.5)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    largest = np.argsort(sizes)[::-1][:2]
    chosen = np.zeros(count + 1, bool)
    chosen[largest + 1] = True
    mask = _without_holes(chosen[labels])
    found = _is_one_piece(labels, sizes, largest) or _are_two_pieces(labels, sizes, largest)
    return lungs_of(mask, found=found)


def _without_holes(mask: Mask) -> Mask:
    """Fill what is shut in: background from which no path over edges of pixels leads to a border.

    `ndimage.binary_fill_holes` says the same and takes longer: it grows the border pixel by pixel.
    """
    labels, count = ndimage.label(~mask)
    outside = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False  # the mask itself
    filled: Mask = ~outside[labels]
    return filled


def _is_one_piece(
    labels: NDArray[np.int32], sizes: NDArray[np.int64], largest: NDArray[np.int64]
) -> bool:
    """Return whether the largest piece is two lungs that touch: large, and over both halves."""
    if not len(largest) or sizes[largest[0]] < 4 * SMALLEST_LUNG * labels.size:
        return False
    columns = np.flatnonzero((labels == largest[0] + 1).any(axis=0))
    return bool(columns[-1] - columns[0] > JOINED_WIDTH * labels.shape[1])


def _are_two_pieces(
    labels: NDArray[np.int32], sizes: NDArray[np.int64], largest: NDArray[np.int64]
) -> bool:
    """Return whether the two largest pieces can be a right and a left lung."""
    if len(largest) < 2 or sizes[largest[1]] < SMALLEST_LUNG * labels.size:
        return False
    row, column = _middle(labels == largest[0] + 1)
    other_row, other_column = _middle(labels == largest[1] + 1)
    return bool(
        sizes[largest[0]] <= LARGEST_RATIO * sizes[largest[1]]
        and abs(column - other_column) > LEAST_DISTANCE * labels.shape[1]
        and abs(row - other_row) < LARGEST_TILT * labels.shape[0]
    )


def _middle(piece: Mask) -> tuple[float, float]:
    """Return row and column of the mean of a piece's pixels."""
    rows, columns = np.count_nonzero(piece, axis=1), np.count_nonzero(piece, axis=0)
    area = rows.sum()
    middle = rows @ np.arange(len(rows)) / area, columns @ np.arange(len(columns)) / area
    return float(middle[0]), float(middle[1])
