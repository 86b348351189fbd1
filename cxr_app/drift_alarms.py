"""The figures that show drift, and the lines beyond which a site wants to be warned."""

from collections.abc import Mapping
from enum import StrEnum


class DriftFigure(StrEnum):
    """A figure that is followed from week to week; its value is the word in the setting."""

    FLAGGED = "flagged"
    """Share of the scored films that are flagged."""
    REFUSED = "refused"
    """Share of all films that were rejected or unreadable."""
    PSI = "psi"
    """Population stability index of the scores against the reference."""
    KS = "ks"
    """Kolmogorov-Smirnov distance of the scores from the reference."""
    AGREEMENT = "agreement"
    """Share of the reviewed films in which reader and flag agree."""
    SENSITIVITY = "sensitivity"
    """Share of the films in which readers saw pneumonia that were flagged."""
    SPECIFICITY = "specificity"
    """Share of the films in which readers saw no pneumonia that were not flagged."""


LOWER_IS_WORSE = frozenset(
    {DriftFigure.AGREEMENT, DriftFigure.SENSITIVITY, DriftFigure.SPECIFICITY}
)
"""Figures whose line is a lower limit; the others have an upper one."""

AlarmLines = Mapping[DriftFigure, float]
"""The line of each figure that has one."""


def parse_alarm_lines(written: str) -> AlarmLines:
    """Read lines such as ``psi=0.25, sensitivity=0.9``, separated by commas.

    Raises
    ------
    ValueError
        If one is written otherwise, names no figure, names one twice, or is out of range; the
        message says what is allowed.
    """
    found: dict[DriftFigure, float] = {}
    for each in filter(None, map(str.strip, written.split(","))):
        name, _, number = map(str.strip, each.partition("="))
        figure = next((known for known in DriftFigure if known == name), None)
        if figure is None:
            raise ValueError(f"{each!r} names no figure; allowed are {', '.join(DriftFigure)}")
        if figure in found:
            raise ValueError(f"{name} may be named once")
        found[figure] = _line(figure, number)
    return found


def _line(figure: DriftFigure, number: str) -> float:
    try:
        line = float(number)
    except ValueError:
        line = -1.0
    highest = 10.0 if figure is DriftFigure.PSI else 1.0
    if not 0 < line < highest:
        raise ValueError(
            f"the line of {figure} is {number!r}; expected a number between 0 and {highest:g}, "
            f"for example {figure}=0.25"
        )
    return line
