"""Burned-in writing in the corners of films: exposure data, clock times, projection names.

A machine writes the same words in the same corner with the same typeface, so writing that many
films share identifies it. Lines of text are found as small bright marks on a darker ground; wires,
clips and ribs are excluded because no two of them look alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from training.acquisition.fingerprint import SIDE, Matrix, ThumbnailPixels, Thumbnails

ROWS, COLUMNS = 10, 30
"""Size to which every line of text is brought for comparison."""
STROKE = 5
"""ThumbnailPixels of `fingerprint.SIDE`; anything wider is not a stroke of a letter."""
CONTRASTS, FAINTEST = (30, 60), 70
"""Grey levels: letters above their ground (the higher on the body), and letters themselves."""
HEIGHTS, WIDTHS = (3, 14), (10, 44)
"""ThumbnailPixels; smallest and largest size of a line of text."""
ALIKE = 0.4
"""Correlation above which two lines of text are of one machine."""
FEWEST_ALIKE, MOST_ALIKE, SHARE_ALIKE = 5, 20, 0.01
"""Other films that must carry the same writing: a share of all, within limits."""
LEGIBLE = 0.4
"""Correlation of the mean line with a printed word above which the word is read."""


@dataclass(frozen=True, slots=True)
class Corner:
    """Where a film may carry writing.

    Parameters
    ----------
    rows, columns
        Part of a film of `fingerprint.SIDE`.
    strokes
        Strokes that a row of the text crosses on average; fewer are a collar bone or a wire.
    """

    rows: slice
    columns: slice
    strokes: float


CORNERS: Mapping[str, Corner] = {
    "lower right": Corner(slice(188, SIDE), slice(144, SIDE), 1.2),
    "upper left": Corner(slice(0, 44), slice(0, 80), 1.6),
    "upper right": Corner(slice(0, 44), slice(144, SIDE), 1.6),
    "lower left": Corner(slice(188, SIDE), slice(0, 80), 1.6),
}
"""In order of precedence for a film with writing in several corners."""
WORDS: Mapping[str, Sequence[str]] = {
    "KV": [f"KV{kilovolts}" for kilovolts in range(50, 90)],
    "mA": ["mA:320", "mA:400"],
}
"""Names of writings, each with the texts by which it is recognised."""


def writing_groups(films: Thumbnails) -> list[str]:
    """Return the writing that each film shares with others; empty where it has none.

    Parameters
    ----------
    films
        Shape ``(n, SIDE, SIDE)``.
    """
    names = [""] * len(films)
    for corner, place in CORNERS.items():
        found = dict(_lines(films, place))
        shared = _shared(found, len(films))
        name = _name(corner, [found[film] for film in shared])
        for film in shared:
            names[film] = names[film] or name
    return names


def _lines(films: Thumbnails, corner: Corner) -> Iterator[tuple[int, Matrix]]:
    """Yield the clearest line of text in a corner, as a unit vector, of each film that has one."""
    for place, film in enumerate(films):
        lines = find_lines(film[corner.rows, corner.columns], corner.strokes)
        if lines:
            clearest = max(lines, key=lambda line: line.clearness)
            yield place, _unit(_resized(clearest.height))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a corner.

    Parameters
    ----------
    rows, columns
        Where it lies within the corner.
    height
        Grey levels above the ground, shape of the line.
    clearness
        Strokes times contrast; of two readings of the same place the clearer one counts.
    """

    rows: slice
    columns: slice
    height: Matrix
    clearness: float


def find_lines(corner: ThumbnailPixels, strokes: float) -> list[Line]:
    """Return what looks like a line of text in a corner; readings of one place may overlap."""
    ground = ndimage.grey_opening(corner, size=(STROKE, STROKE))
    height = (corner - ground).astype(np.float64)  # the opening never exceeds the film
    lines = []
    for contrast in CONTRASTS:
        bright = (height > contrast) & (corner > FAINTEST)
        words, _ = ndimage.label(ndimage.binary_dilation(bright, np.ones((1, STROKE))))
        for number, box in enumerate(ndimage.find_objects(words), start=1):
            line = _as_line((words[box] == number) & bright[box], height, box, strokes)
            if line is not None:
                lines.append(line)
    return lines


def _as_line(
    mark: NDArray[np.bool_], height: Matrix, box: Sequence[slice], strokes: float
) -> Line | None:
    """Return a mark as a line of text; None if it does not have the shape of one."""
    used = np.flatnonzero(mark.any(axis=1)), np.flatnonzero(mark.any(axis=0))
    if not len(used[0]):
        return None
    rows, columns = (
        slice(side.start + inside[0], side.start + inside[-1] + 1)
        for side, inside in zip(box, used, strict=True)
    )
    mark = mark[used[0][0] : used[0][-1] + 1, used[1][0] : used[1][-1] + 1]
    tall, wide = mark.shape
    fits = HEIGHTS[0] <= tall <= HEIGHTS[1] and WIDTHS[0] <= wide <= WIDTHS[1] and wide > 1.3 * tall
    starts = np.diff(np.pad(mark, ((0, 0), (1, 0))).astype(np.int8), axis=1) > 0
    crossed = float(starts.sum(axis=1).mean())
    if not fits or crossed < strokes:
        return None
    part = height[rows, columns]
    return Line(rows, columns, part, crossed * float(part.mean()))


def _resized(text: Matrix) -> Matrix:
    """Scale a line of text to the common size."""
    image = Image.fromarray(text.astype(np.float32), mode="F")
    return np.asarray(image.resize((COLUMNS, ROWS), Image.Resampling.BILINEAR), dtype=np.float64)


def _unit(text: Matrix) -> Matrix:
    """Return pixels as a vector with mean 0 and length 1, so that a product is a correlation."""
    centred = text.ravel() - text.mean()
    unit: Matrix = centred / max(float(np.linalg.norm(centred)), 1e-9)
    return unit


def _shared(lines: Mapping[int, Matrix], films: int) -> list[int]:
    """Return the films whose line of text resembles that of enough other films."""
    if not lines:
        return []
    needed = min(MOST_ALIKE, max(FEWEST_ALIKE, SHARE_ALIKE * films))
    stack = np.stack(list(lines.values()))
    alike = (stack @ stack.T > ALIKE).sum(axis=1) - 1
    return [film for film, count in zip(lines, alike, strict=True) if count >= needed]


def _name(corner: str, lines: Sequence[Matrix]) -> str:
    """Name a writing by its word if that is legible, otherwise by its corner."""
    if not lines:
        return ""
    mean = _unit(np.mean(lines, axis=0))
    legible = {
        word: max(float(mean @ _unit(_printed(text))) for text in texts)
        for word, texts in WORDS.items()
    }
    word = max(legible, key=lambda name: legible[name])
    return word if legible[word] >= LEGIBLE else f"writing {corner}"


def _printed(text: str) -> Matrix:
    """Print a word in a plain typeface at the common size."""
    page = Image.new("L", (60 * len(text), 90))
    ImageDraw.Draw(page).text((10, 10), text, font=ImageFont.load_default(40), fill=255)
    return _resized(np.asarray(page.crop(page.getbbox()), dtype=np.float64))
