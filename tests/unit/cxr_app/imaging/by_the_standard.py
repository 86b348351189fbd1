"""A film rendered from the text of the standard: pixel by pixel, and sharing no code with ours.

Only what the standard defines is here; it holds no rules for files that contradict it.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.factories import Pixels


@dataclass(frozen=True, slots=True)
class Facts:
    """What a header says of a film of one sample a pixel.

    Parameters
    ----------
    stored, high, signed
        Bits Stored, High Bit, Pixel Representation.
    inverted
        Whether it is MONOCHROME1.
    rescale, table
        Slope and intercept; first input, entries and bits of a Modality LUT.
    window, function
        Window Center and Window Width, with a VOI LUT Function.
    voi
        First input, entries and bits of a VOI LUT.
    padding
        Pixel Padding Value and Pixel Padding Range Limit.
    shutter
        Upper, lower, left and right edge of a rectangular shutter.
    shutter_value
        Shutter Presentation Value.
    """

    stored: int
    high: int
    signed: bool
    inverted: bool = False
    rescale: tuple[float, float] = (1.0, 0.0)
    table: tuple[int, list[int], int] | None = None
    window: tuple[float, float] | None = None
    function: str = "LINEAR"
    voi: tuple[int, list[int], int] | None = None
    padding: tuple[int, int] | None = None
    shutter: tuple[int, int, int, int] | None = None
    shutter_value: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


def stored_value(word: int, facts: Facts) -> int:
    """Return the value that a word holds (PS3.5 8.1.1)."""
    value = 0
    for bit in range(facts.stored):
        place = facts.high - facts.stored + 1 + bit
        value += ((word >> place) & 1) << bit
    if facts.signed and value >= 1 << (facts.stored - 1):
        value -= 1 << facts.stored
    return value


def looked_up(value: float, table: tuple[int, list[int], int]) -> int:
    """Return the entry for an input (PS3.3 C.11.1.1 and C.11.2.1.1)."""
    first, entries, _ = table
    index = round(value) - first
    return entries[min(max(index, 0), len(entries) - 1)]


def windowed(value: float, window: tuple[float, float], function: str) -> float:
    """Return the brightness of a value (PS3.3 C.11.2.1.2.1 and C.11.2.1.3)."""
    centre, width = window
    if function == "SIGMOID":
        exponent = -4 * (value - centre) / width
        return 0.0 if exponent > 700 else 1 / (1 + math.exp(exponent))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if value <= centre - width / 2:
        return 0.0
    if value > centre + width / 2:
        return 1.0
    return (value - centre) / width + 0.5


def rendered(words: Pixels, facts: Facts, whole: tuple[float, float]) -> Pixels:
    """Render a film.

    Parameters
    ----------
    words
        Allocated words, unsigned, shape ``(rows, columns)``.
    facts
        The header.
    whole
        The values that are black and white if there is neither window nor VOI LUT, which the
        standard leaves open.

    Returns
    -------
    image
        Brightness in ``[0, 1]``; padding is NaN, for the standard only says that it is no film.
    """
    shown = np.empty(words.shape)
    for place, word in np.ndenumerate(words):
        shown[place] = _brightness(int(word), facts, whole)
    if facts.shutter is not None:
        top, bottom, left, right = facts.shutter
        for row, column in np.ndindex(words.shape):
            if not (top < row + 1 < bottom and left < column + 1 < right):
                shown[row, column] = facts.shutter_value / 65_535
    return shown


def _brightness(word: int, facts: Facts, whole: tuple[float, float]) -> float:
    value = stored_value(word, facts)
    if facts.padding is not None and min(facts.padding) <= value <= max(facts.padding):
        return math.nan
    shown = _presented(_modality(value, facts), facts, whole)
    return 1 - shown if facts.inverted else shown


def _modality(value: int, facts: Facts) -> float:
    if facts.table is not None:
        return float(looked_up(value, facts.table))
    return facts.rescale[0] * value + facts.rescale[1]


def _presented(value: float, facts: Facts, whole: tuple[float, float]) -> float:
    if facts.voi is not None:
        return looked_up(value, facts.voi) / ((1 << facts.voi[2]) - 1)
    if facts.window is not None:
        return windowed(value, facts.window, facts.function)
    low, high = whole
    return min(max((value - low) / (high - low), 0.0), 1.0)
