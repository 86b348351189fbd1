"""The picture of a result: the film with its heatmap, and the result in words above it."""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from cxr_app.imaging.pixels import to_image
from cxr_app.model import activation_map
from cxr_app.pacs.mark_drawing import draw_mark
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.scored_film import ScoredFilm
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

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
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
    image = to_image(_reduced(softcopy))
    shown = PillowImage.fromarray((image * 255 + 0.5).astype(np.uint8)).convert("RGB")
    if film.activation_map is not None and film.heat_scale is not None:
        shown = _with_heat(shown, film.activation_map, film.heat_scale)
    for mark in film.marks:
        draw_mark(shown, mark, _font(SMALLEST_FONT))
    wide = PillowImage.new("RGB", (max(shown.width, NARROWEST), shown.height))
    wide.paste(shown)
    return np.concatenate([_words(film, wide.width), np.asarray(wide)])


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
    places = (factor // 4, factor - 1 - factor // 4)
    total = sum(
        whole[row::factor, column::factor].astype(np.uint32) for row in places for column in places
    )
    values = ((np.asarray(total) + 2) // 4).astype(np.uint16)
    hidden = softcopy.hidden
    if hidden is not None:
        hidden = np.ascontiguousarray(hidden[: rows * factor : factor, : columns * factor : factor])
    return replace(softcopy, values=values, hidden=hidden)


def _with_heat(
    shown: PillowImage.Image, cells: ActivationMap, scale: HeatScale
) -> PillowImage.Image:
    """Lay heat over a film: its opacity grows with the heat, and 0 leaves the film bare."""
    factor = min(1.0, HEAT_SIDE / max(shown.size))
    rows, columns = (max(1, round(side * factor)) for side in (shown.height, shown.width))
    heat = activation_map.on_film(activation_map.heat(cells, scale), rows, columns)
    levels = PillowImage.fromarray((heat * 255 + 0.5).astype(np.uint8))
    levels = levels.resize(shown.size, PillowImage.Resampling.BILINEAR)
    opacity = levels.point([round(OPACITY * level) for level in range(256)])
    levels.putpalette(_PALETTE)
    return PillowImage.composite(levels.convert("RGB"), shown, opacity)


@cache
def _font(size: int) -> _Font:
    return ImageFont.load_default(size)


def _words(film: ScoredFilm, columns: int) -> Picture:
    """Draw the result in words, white on black, in letters that fit the picture's width."""
    size = max(SMALLEST_FONT, round(columns / LETTERS_ACROSS * 1.6))
    font = _font(size)
    room = columns - size
    lines = [line for sentence in result_lines(film) for line in _wrapped(sentence, font, room)]
    height = round(size * 1.35)
    band = PillowImage.new("RGB", (columns, height * len(lines) + size // 2))
    draw = ImageDraw.Draw(band)
    for row, line in enumerate(lines):
        draw.text((size // 2, size // 4 + row * height), line, fill="white", font=font)
    return np.asarray(band)


def _wrapped(sentence: str, font: _Font, room: int) -> list[str]:
    """Break a sentence into lines that are not wider than `room`, in pixels."""
    lines: list[str] = []
    for word in sentence.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
