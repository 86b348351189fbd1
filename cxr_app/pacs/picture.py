"""The picture of a result: the film with its heatmap, and the result in words above it."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.imaging.pixels import to_grey_levels
from cxr_app.model import activation_map
from cxr_app.pacs.mark_drawing import draw_mark
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.word_band import font_of, word_band
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Softcopy

TYPICAL_SIDE = 900
"""Longest side, about, of a film in the picture, which is for orientation and not for reading.

Larger films are reduced by a whole number, to between 720 and 1,350 pixels.
"""
HEAT_SIDE = 256
"""Longest side of the grid on which heat is computed; it is smooth."""

HEAT_COLOURS = np.array(
    [(120, 28, 109), (177, 50, 90), (221, 81, 58), (245, 125, 21), (251, 180, 26), (252, 255, 164)]
)
"""Colours of heat from nothing to full, as in the viewer (`components/viewer/heatmap.js`)."""

_PLACES = np.linspace(0, len(HEAT_COLOURS) - 1, 256)
_PALETTE = bytes(
    np.stack(
        [np.interp(_PLACES, np.arange(len(HEAT_COLOURS)), part) for part in HEAT_COLOURS.T], axis=1
    )
    .round()
    .astype(np.uint8)
    .ravel()
)

OPACITY = 0.6
NARROWEST = 320
"""Width of the picture of a smaller film, in pixels: room for the longest word."""
SMALLEST_FONT = 13
LETTERS_ACROSS = 52
INVESTIGATIONAL = "AI RESULT - INVESTIGATIONAL USE: NOT FOR DIAGNOSIS"

Picture = NDArray[np.uint8]
"""Shape ``(rows, columns, 3)``, red, green and blue."""


def picture_of(film: ScoredFilm, softcopy: Softcopy) -> Picture:
    """Draw the film, its heat on the fixed scale, and the result in words above it.

    Parameters
    ----------
    film
        The result; without map or scale no heat is drawn, and the words say so.
    softcopy
        The film in its own window.

    Returns
    -------
    Picture
        The film, reduced to about `TYPICAL_SIDE`; above it as many rows as the words need, and
        right of a narrow one black.
    """
    shown = PillowImage.fromarray(to_grey_levels(_reduced(softcopy))).convert("RGB")
    if film.activation_map is not None and film.heat_scale is not None:
        _lay_heat(shown, film.activation_map, film.heat_scale)
    for mark in film.marks:
        draw_mark(shown, mark, font_of(SMALLEST_FONT))
    columns = max(shown.width, NARROWEST)
    size = max(SMALLEST_FONT, round(columns / LETTERS_ACROSS * 1.6))
    words = word_band(result_lines(film), columns, size)
    whole = PillowImage.new("RGB", (columns, words.height + shown.height))
    whole.paste(words.convert("RGB"))
    whole.paste(shown, (0, words.height))
    return np.asarray(whole)


def result_lines(film: ScoredFilm) -> tuple[str, ...]:
    """Return what the picture says, a sentence each, in ASCII."""
    has_heat = film.activation_map is not None and film.heat_scale is not None
    relation = ">=" if film.flagged else "<"
    return (
        INVESTIGATIONAL,
        f"{film.verdict} for pneumonia: probability {film.pneumonia_probability:.3f} "
        f"{relation} threshold {film.threshold:.3f} "
        f"(operating point {plain(film.operating_point_name)}).",
        f"Model {plain(film.model_version)}. Scored {film.local_time:%Y-%m-%d %H:%M %z}.",
        "" if has_heat else "No heatmap was kept for this result.",
        "Green: marked by a reader, not by the AI." if film.marks else "",
    )


def _reduced(softcopy: Softcopy) -> Softcopy:
    """Reduce a large film by a whole number; each pixel is the mean of four within its block."""
    factor = round(max(softcopy.values.shape) / TYPICAL_SIDE)
    if factor < 2:
        return softcopy
    rows, columns = (side // factor for side in softcopy.values.shape)
    if not (rows and columns):
        return softcopy
    whole = softcopy.values[: rows * factor, : columns * factor]
    first, second = factor // 4, factor - 1 - factor // 4
    wide = np.uint16 if whole.max() < 2**14 else np.uint32  # four of them add up to no more
    pairs = np.add(whole[first::factor], whole[second::factor], dtype=wide)
    total = pairs[:, first::factor] + pairs[:, second::factor]
    total += wide(2)
    total >>= wide(2)
    values = total.astype(np.uint16, copy=False)
    hidden = softcopy.hidden
    if hidden is not None:
        hidden = np.ascontiguousarray(hidden[: rows * factor : factor, : columns * factor : factor])
    return replace(softcopy, values=values, hidden=hidden)


def _lay_heat(shown: PillowImage.Image, cells: ActivationMap, scale: HeatScale) -> None:
    """Lay heat over a film: its opacity grows with the heat, and 0 leaves the film bare."""
    factor = min(1.0, HEAT_SIDE / max(shown.size))
    rows, columns = (max(1, round(side * factor)) for side in (shown.height, shown.width))
    heat = activation_map.on_film(activation_map.heat(cells, scale), rows, columns)
    small = PillowImage.fromarray((heat * 255 + 0.5).astype(np.uint8))
    hot = small.getbbox()
    if hot is None:
        return
    across = _enlarged(hot[0], hot[2], columns, shown.width)
    down = _enlarged(hot[1], hot[3], rows, shown.height)
    levels = small.resize(
        (len(across), len(down)),
        PillowImage.Resampling.BILINEAR,
        box=(
            across.start * columns / shown.width,
            down.start * rows / shown.height,
            across.stop * columns / shown.width,
            down.stop * rows / shown.height,
        ),
    )
    opacity = levels.point([round(OPACITY * level) for level in range(256)])
    levels.putpalette(_PALETTE)
    shown.paste(levels.convert("RGB"), (across.start, down.start), opacity)


def _enlarged(begin: int, end: int, cells: int, pixels: int) -> range:
    """Return the pixels that cells of a grid reach, each one cell further by the interpolation."""
    scale = pixels / cells
    return range(max(0, math.floor((begin - 1) * scale)), min(pixels, math.ceil((end + 1) * scale)))
