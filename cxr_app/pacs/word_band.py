"""Words drawn white on black, in lines that fit a width.

A word is drawn once: of what stands on the pictures of many films, only numbers differ.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MOST_WORDS = 1024
"""Words that are kept, of about 1 kB each."""
BEARING = 2
"""Pixels that a letter may reach beyond its place."""


def word_band(sentences: Sequence[str], columns: int, size: int) -> PillowImage.Image:
    """Draw sentences below each other, each beginning a line.

    Parameters
    ----------
    sentences
        In ASCII; empty ones take no room.
    columns
        Width of the band.
    size
        Of the letters, in pixels.

    Returns
    -------
    Image
        In grey.
    """
    lines = [line for each in sentences for line in _wrapped(each.split(), columns - size, size)]
    height = round(size * 1.35)
    band = PillowImage.new("L", (columns, height * len(lines) + size // 2))
    for row, line in enumerate(lines):
        for place, word in _placed(line, size):
            left = size // 2 - BEARING + round(place)
            band.paste(_drawn(word, size), (left, size // 4 + row * height))
    return band


@cache
def font_of(size: int) -> Font:
    """Return the font of a size."""
    return ImageFont.load_default(size)


def _wrapped(words: Sequence[str], room: int, size: int) -> list[list[str]]:
    """Break a sentence into lines that are not wider than `room`, in pixels."""
    lines: list[list[str]] = []
    used = math.inf
    for word in words:
        used += _width(" ", size) + _width(word, size)
        if used > room:
            lines.append([])
            used = _width(word, size)
        lines[-1].append(word)
    return lines


def _placed(line: Sequence[str], size: int) -> Iterator[tuple[float, str]]:
    """Yield each word with where it begins."""
    place = 0.0
    for word in line:
        yield place, word
        place += _width(word, size) + _width(" ", size)


@lru_cache(MOST_WORDS)
def _width(word: str, size: int) -> float:
    return font_of(size).getlength(word)


@lru_cache(MOST_WORDS)
def _drawn(word: str, size: int) -> PillowImage.Image:
    """Draw a word, with a margin left and right."""
    columns = math.ceil(_width(word, size)) + 2 * BEARING
    drawn = PillowImage.new("L", (columns, round(size * 1.35)))
    ImageDraw.Draw(drawn).text((BEARING, 0), word, fill=255, font=font_of(size))
    return drawn
