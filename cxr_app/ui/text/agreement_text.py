"""Table of the agreement between flags and readers, week by week."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from cxr_app import display_text
from cxr_app.evaluation.metrics import wilson_interval
from cxr_app.worklist import Agreement

FEWEST = 30
"""Smallest number of films for a percentage; below it, only the counts are shown."""
TOO_FEW = "too few"
COUNTED = tuple(each.name for each in fields(Agreement) if each.name != "week")


def rows(weeks: Sequence[Agreement]) -> list[dict[str, str]]:
    """Return a row for each week, the latest first, and one for all weeks."""
    by_week = [_row(f"{week.week:%Y-%m-%d}", week) for week in reversed(weeks)]
    return [*by_week, _row("All", _total(weeks))]


def _total(weeks: Sequence[Agreement]) -> Agreement:
    return Agreement(weeks[0].week, *(sum(map(attrgetter(name), weeks)) for name in COUNTED))


def _row(name: str, week: Agreement) -> dict[str, str]:
    right = week.true_positive + week.true_negative
    wrong = week.false_positive + week.false_negative
    return {
        "Week from": name,
        "Films reviewed": f"{right + wrong:,}",
        "Agreement": _proportion(right, right + wrong),
        "Sensitivity": _proportion(week.true_positive, week.true_positive + week.false_negative),
        "Specificity": _proportion(week.true_negative, week.true_negative + week.false_positive),
        "Missed": f"{week.false_negative:,}",
        "False alarms": f"{week.false_positive:,}",
        "Not usable": f"{week.unusable:,}",
        "Unsure": f"{week.unsure:,}",
    }


def _proportion(part: int, whole: int) -> str:
    """Return a proportion with its interval and denominator: ``95 % (89–98) of 120``."""
    if whole < FEWEST:
        return f"{TOO_FEW}: {part:,} of {whole:,}" if whole else ""
    low, high = wilson_interval(part, whole)
    return f"{display_text.percent(part / whole)} ({low * 100:.0f}–{high * 100:.0f}) of {whole:,}"
