"""What a film shows of its acquisition outside the lungs: tone, sharpness, border and marker.

Everything is measured on a film squeezed to `SIDE` pixels. Greys are those of the shoulders, the
spine and the abdomen: opacities lie elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SIDE = 224
ThumbnailPixels = NDArray[np.uint8]
"""One film, shape ``(SIDE, SIDE)`` or a part of it."""
Thumbnails = NDArray[np.uint8]
"""Thumbnails, shape ``(n, SIDE, SIDE)``."""
Matrix = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FREQUENCIES = (0.03, 0.08, 0.15, 0.22, 0.3, 0.4, 0.5)
"""Limits of the bands of the spectrum, in cycles a pixel."""
BLACK = 24
"""Grey level below which a row or column lies outside the exposed field."""

_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE]
_EDGE = np.minimum.reduce([_ROWS, _COLUMNS, SIDE - 1 - _ROWS, SIDE - 1 - _COLUMNS])
_SPINE = (abs(_COLUMNS - SIDE / 2) < 14) & (_ROWS > 20) & (_ROWS < 150)
_ABDOMEN = (_ROWS >= 190) & (_COLUMNS > 50) & (_COLUMNS < SIDE - 50)
_FRAME = (_EDGE < 28) & (_ROWS < 190)
_WINDOW = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)

FEATURES = (
    *(f"{part} {quantile}" for part in ("frame", "spine", "abdomen") for quantile in QUANTILES),
    *("black", "white", "empty levels", "darkest", "brightest"),
    *(f"spectrum {band}" for band in range(2 * (len(FREQUENCIES) - 1))),
    *(f"{what} {side}" for what in ("edge", "margin") for side in ("top", "foot", "left", "right")),
    *("marker contrast", "marker height", "marker width", "marker row", "marker column"),
)
"""Names of the columns of a fingerprint."""


def fingerprints(films: Thumbnails) -> Matrix:
    """Return the fingerprint of every film, shape ``(n, len(FEATURES))``."""
    return np.array([fingerprint(film) for film in films]).reshape(len(films), len(FEATURES))


def fingerprint(film: ThumbnailPixels) -> Matrix:
    """Return the acquisition features of one film, in the order of `FEATURES`."""
    return np.concatenate(
        [
            *(_tone(film[part]) for part in (_FRAME, _SPINE, _ABDOMEN)),
            _levels(film),
            spectrum(film),
            _border(film),
            find_marker(film).features(),
        ]
    )


def _tone(greys: ThumbnailPixels) -> Matrix:
    """Return quantiles of grey values in ``[0, 1]``, by counting."""
    reached = np.cumsum(np.bincount(greys, minlength=256)) / len(greys)
    return np.searchsorted(reached, QUANTILES) / 255


def _levels(film: ThumbnailPixels) -> Matrix:
    """Return shares of black, white and unused grey levels, and the range in use."""
    counts = np.bincount(film.ravel(), minlength=256)
    used = np.flatnonzero(counts)
    low, high = int(used[0]), int(used[-1])
    empty = float((counts[low : high + 1] == 0).mean())
    black, white = counts[:3].sum() / film.size, counts[253:].sum() / film.size
    return np.array([black, white, empty, low / 255, high / 255])


def _band_of_cells() -> NDArray[np.intp]:
    """Return the band and direction of each cell of a half spectrum; 0 is left out."""
    rows, columns = abs(np.fft.fftfreq(SIDE))[:, None], np.fft.rfftfreq(SIDE)[None]
    band = np.searchsorted(FREQUENCIES, np.hypot(rows, columns), side="right")
    band[band == len(FREQUENCIES)] = 0
    upright = (rows > columns) & (band > 0)
    numbers: NDArray[np.intp] = (band + upright * (len(FREQUENCIES) - 1)).ravel()
    return numbers


_BANDS = _band_of_cells()


def spectrum(film: ThumbnailPixels) -> Matrix:
    """Return the logarithmic power in each band across and then along the body.

    Both directions are relative to the mean of their lowest band: contrast is not sharpness.
    """
    greys = film.astype(np.float32)
    power = np.abs(np.fft.rfft2((greys - greys.mean()) * _WINDOW)) ** 2
    counts = np.bincount(_BANDS)[1:]
    bands = np.log(np.bincount(_BANDS, weights=power.ravel())[1:] / counts + 1e-3)
    lowest = (bands[0] + bands[len(bands) // 2]) / 2
    relative: Matrix = bands - lowest
    return relative


def _border(film: ThumbnailPixels) -> Matrix:
    """Return the mean grey of each edge, and the width of the unexposed margin beside it."""
    turned = (film, film[::-1], film.T, film.T[::-1])  # the top, foot, left and right first
    edges = [float(side[:4].mean()) / 255 for side in turned]
    margins = [_margin(side) / SIDE for side in turned]
    return np.array([*edges, *margins])


def _margin(film: ThumbnailPixels) -> int:
    """Count the leading rows that are mostly black."""
    dark = (film < BLACK).mean(axis=1) > 0.5
    return int(np.cumprod(dark).sum())


@dataclass(frozen=True, slots=True)
class Marker:
    """The letter that names a side of the body, as found; all 0 if there is none.

    Parameters
    ----------
    contrast
        Grey levels above the ground.
    height, width, row, column
        In pixels.
    """

    contrast: float = 0.0
    height: int = 0
    width: int = 0
    row: int = 0
    column: int = 0

    def features(self) -> Matrix:
        """Return the marker as part of a fingerprint."""
        lengths = (self.height, self.width, self.row, self.column)
        return np.array([self.contrast / 255, *(length / SIDE for length in lengths)])


def find_marker(film: ThumbnailPixels) -> Marker:
    """Return the side marker: the clearest single letter in the film's left third."""
    part = film[:190, :90]
    height = part - ndimage.grey_opening(part, size=(9, 9))
    letters, _ = ndimage.label(height > 45, np.ones((3, 3)))
    found = [
        _marker(letters[box] == number, height[box], box)
        for number, box in enumerate(ndimage.find_objects(letters), start=1)
    ]
    return max(found, key=lambda marker: marker.contrast, default=Marker())


def _marker(mark: NDArray[np.bool_], height: ThumbnailPixels, box: Sequence[slice]) -> Marker:
    """Return a mark as a marker, with no contrast if it does not have the shape of a letter."""
    tall, wide = mark.shape
    fits = 6 <= tall <= 30 and 3 <= wide <= 22 and tall >= 0.9 * wide
    if not fits or not 0.3 <= mark.mean() <= 0.85:
        return Marker()
    contrast = float(np.percentile(height[mark], 75))
    return Marker(contrast, tall, wide, box[0].start, box[1].start)
