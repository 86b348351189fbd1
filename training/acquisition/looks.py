"""Re-render a film as if another machine had made it: tone, sharpness, field and letters.

A look that came with one class only is so given to films of the other class, which shows whether a
network reads the machine (`judge`) and teaches it not to (training). Everything is taken from what
is not lung, so that no trace of the other film's disease comes along. All films are squeezed to
`fingerprint.SIDE` pixels, ``uint8``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from training.acquisition.fingerprint import (
    BLACK,
    SIDE,
    Matrix,
    ThumbnailPixels,
    Thumbnails,
    find_marker,
)
from training.acquisition.writing import CORNERS, find_lines

FlatPlaces = NDArray[np.intp]
"""Indices into a flattened film."""

TONE_QUANTILES = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
STEEPEST, FLATTEST = 2.5, 0.4
"""Slopes of a tone curve: steeper ones turn noise into texture, flatter ones hide the lungs."""
BANDS = 24
"""Rings of the spectrum from frequency 0 to 0.5."""
FIRST_CHANGED = 4
"""Ring from which sharpness is matched; below it lie organs."""
LARGEST_GAIN, SMALLEST_GAIN = 2.2, 0.35
NARROWEST = 0.85
"""Largest change of a body's width."""
WIDEST_MARGIN = SIDE // 10
"""ThumbnailPixels of a film that a narrower collimation may hide on each side."""

_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE]
_EDGE = np.minimum.reduce([_ROWS, _COLUMNS, SIDE - 1 - _ROWS, SIDE - 1 - _COLUMNS])
_NOT_LUNG = np.flatnonzero(
    (_EDGE < 24) | (_ROWS > 180) | ((abs(_COLUMNS - SIDE / 2) < 16) & (_ROWS > 20))
)
_WINDOW = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
_RING = np.minimum(
    np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]) * 2 * BANDS, BANDS - 1e-3
)
_RING_NUMBER = _RING.astype(np.intp).ravel()
_RING_SIZE = np.bincount(_RING_NUMBER, minlength=BANDS)


@dataclass(frozen=True, slots=True)
class Look:
    """How a film was rendered.

    Parameters
    ----------
    tone
        Grey levels of black, of quantiles of the tissue outside the lungs, and of white.
    spectrum
        Logarithmic power in `BANDS` rings.
    margins
        Unexposed rows and columns at the top, foot, left and right.
    surround
        Grey of the unexposed part.
    body
        First column of the body and the first behind it: how wide the field was.
    letters, letter_greys, letter_ground
        FlatPlaces of burned-in letters, their greys, and the greys around them.
    """

    tone: Matrix
    spectrum: Matrix
    margins: tuple[int, int, int, int]
    surround: int
    body: tuple[int, int]
    letters: FlatPlaces
    letter_greys: ThumbnailPixels
    letter_ground: ThumbnailPixels


def look_of(film: ThumbnailPixels) -> Look:
    """Measure the look of a film."""
    letters = _letters(film)
    ground = ndimage.grey_opening(film, size=(9, 9)).ravel()
    return Look(
        tone=_tone(film),
        spectrum=_spectrum(film),
        margins=_margins(film),
        surround=int(np.percentile(film.ravel()[_EDGE.ravel() < 6], 5)),
        body=_body(film),
        letters=letters,
        letter_greys=film.ravel()[letters],
        letter_ground=ground[letters],
    )


def looks_of(films: Thumbnails) -> list[Look]:
    """Measure the look of every film."""
    return [look_of(film) for film in films]


def _tone(film: ThumbnailPixels) -> Matrix:
    """Return increasing grey levels that mark the tone curve."""
    greys = film.ravel()
    counts = np.bincount(greys[_NOT_LUNG], minlength=256)
    tissue = np.cumsum(np.where(np.arange(256) > BLACK, counts, 0)) / max(
        1, counts[BLACK + 1 :].sum()
    )
    all_greys = np.cumsum(np.bincount(greys, minlength=256)) / greys.size
    black, white = np.searchsorted(all_greys, (0.005, 0.998))
    levels = [black, *np.searchsorted(tissue, TONE_QUANTILES), white]
    return np.maximum.accumulate(np.array(levels, dtype=np.float64))


def _spectrum(film: ThumbnailPixels) -> Matrix:
    """Return the logarithmic power of a film in each ring."""
    greys = film.astype(np.float32)
    power = np.abs(fft.rfft2((greys - greys.mean()) * _WINDOW)) ** 2
    rings = np.bincount(_RING_NUMBER, weights=power.ravel(), minlength=BANDS) / _RING_SIZE
    logarithm: Matrix = np.log(rings + 1.0)  # a film of one grey has no power at all
    return logarithm


def _margins(film: ThumbnailPixels) -> tuple[int, int, int, int]:
    """Count unexposed rows and columns on each side."""
    dark = film < BLACK
    rows, columns = dark.mean(axis=1) > 0.9, dark.mean(axis=0) > 0.9
    sides = (rows, rows[::-1], columns, columns[::-1])
    top, foot, left, right = (min(int(np.cumprod(side).sum()), WIDEST_MARGIN) for side in sides)
    return top, foot, left, right


def _body(film: ThumbnailPixels) -> tuple[int, int]:
    """Return the columns that the body covers below the arms."""
    covered = np.flatnonzero(np.median(film[100:200], axis=0) > BLACK)
    return (int(covered[0]), int(covered[-1]) + 1) if len(covered) > SIDE // 3 else (0, SIDE)


def _letters(film: ThumbnailPixels) -> FlatPlaces:
    """Return the places of the side marker and of the lines of text in the corners."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    for rows, columns in _letter_boxes(film):
        part = film[rows, columns]
        ground = ndimage.grey_opening(part, size=(9, 9)) if min(part.shape) > 9 else part.min()
        mask[rows, columns] |= part > ground + 25
    return np.flatnonzero(ndimage.binary_dilation(mask))


def _letter_boxes(film: ThumbnailPixels) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of each marker and each line of text."""
    marker = find_marker(film)
    if marker.contrast:
        yield (
            slice(max(0, marker.row - 1), marker.row + marker.height + 1),
            slice(max(0, marker.column - 1), marker.column + marker.width + 1),
        )
    for corner in CORNERS.values():
        top, left = corner.rows.start, corner.columns.start
        for line in find_lines(film[corner.rows, corner.columns], corner.strokes):
            yield (
                slice(max(0, top + line.rows.start - 1), top + line.rows.stop + 1),
                slice(max(0, left + line.columns.start - 1), left + line.columns.stop + 1),
            )


def restyle(film: ThumbnailPixels, own: Look, other: Look) -> ThumbnailPixels:
    """Re-render a film in another film's look.

    Parameters
    ----------
    film
        Shape ``(SIDE, SIDE)``; it is not changed.
    own, other
        Look of the film, and the look that it is to have.
    """
    plain = with_width(without_letters(film, own), own, other)
    rendered = with_tone(with_sharpness(plain, own, other), own, other)
    return with_letters(with_margins(rendered, other), other)


def without_letters(film: ThumbnailPixels, own: Look) -> ThumbnailPixels:
    """Replace a film's burned-in letters by what is around them."""
    plain = film.copy()
    plain.ravel()[own.letters] = own.letter_ground
    return plain


def with_width(film: ThumbnailPixels, own: Look, other: Look) -> ThumbnailPixels:
    """Stretch a film sideways until its body is as wide as the other's, within limits.

    Thumbnails of another field or aspect ratio were squeezed to the same square.
    """
    (left, right), (wanted_left, wanted_right) = own.body, other.body
    stretch = np.clip((wanted_right - wanted_left) / (right - left), NARROWEST, 1 / NARROWEST)
    columns = (np.arange(SIDE) + 0.5 - SIDE / 2) / stretch + (SIDE - 1) / 2
    before = np.clip(np.floor(columns), 0, SIDE - 2).astype(np.intp)
    share = np.clip(columns - before, 0, 1).astype(np.float32)
    return _to_pixels(film[:, before] * (1 - share) + film[:, before + 1] * share)


def with_sharpness(film: ThumbnailPixels, own: Look, other: Look) -> ThumbnailPixels:
    """Match the spectrum of a film to another's, from blurring to sharpening."""
    contrast = other.spectrum[1:FIRST_CHANGED].mean() - own.spectrum[1:FIRST_CHANGED].mean()
    gain = np.exp((other.spectrum - own.spectrum - contrast) / 2)
    gain[:FIRST_CHANGED] = 1.0
    gain = np.clip(ndimage.uniform_filter1d(gain, 3, mode="nearest"), SMALLEST_GAIN, LARGEST_GAIN)
    filters = np.interp(_RING, np.arange(BANDS) + 0.5, gain).astype(np.float32)
    filtered = fft.irfft2(fft.rfft2(film.astype(np.float32)) * filters, s=film.shape)
    return _to_pixels(filtered)


def with_tone(film: ThumbnailPixels, own: Look, other: Look) -> ThumbnailPixels:
    """Apply another film's tone curve, by the tissue outside the lungs."""
    return tone_curve(own, other)[film]


def tone_curve(own: Look, other: Look) -> ThumbnailPixels:
    """Return the grey level that each of 256 levels becomes; it never decreases."""
    levels = np.concatenate([[0.0], own.tone, [255.0]])
    wanted = np.concatenate([[0.0], other.tone, [255.0]])
    curve = np.interp(np.arange(256), *_increasing(levels, wanted))
    slopes = np.clip(ndimage.uniform_filter1d(np.diff(curve), 15), FLATTEST, STEEPEST)
    limited = curve[0] + np.concatenate([[0.0], np.cumsum(slopes)])
    middle = round(float(own.tone[len(own.tone) // 2]))
    return _to_pixels(limited + curve[middle] - limited[middle])


def _increasing(levels: Matrix, wanted: Matrix) -> tuple[Matrix, Matrix]:
    """Leave out knots that do not increase."""
    kept = np.concatenate([[True], np.diff(np.maximum.accumulate(levels)) > 0])
    return levels[kept], wanted[kept]


def with_margins(film: ThumbnailPixels, other: Look) -> ThumbnailPixels:
    """Collimate a film as another is, with the other's grey outside."""
    top, foot, left, right = other.margins
    if not any(other.margins):
        return film
    framed = np.full_like(film, other.surround)
    inside = np.s_[top : SIDE - foot, left : SIDE - right]
    framed[inside] = film[inside]
    return framed


def with_letters(film: ThumbnailPixels, other: Look) -> ThumbnailPixels:
    """Burn another film's letters in, where they are brighter than the film."""
    lettered = film.copy()
    flat = lettered.ravel()
    flat[other.letters] = np.maximum(flat[other.letters], other.letter_greys)
    return lettered


def _to_pixels(values: NDArray[np.floating]) -> ThumbnailPixels:
    """Round to grey levels."""
    pixels: ThumbnailPixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


def draw_look(
    looks: Sequence[Look], groups: Sequence[str], group: str, rng: np.random.Generator
) -> Look:
    """Draw the look of a film of a group at random."""
    members = [place for place, name in enumerate(groups) if name == group]
    return looks[int(rng.choice(members))]
