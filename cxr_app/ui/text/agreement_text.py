"""How flags and readers went together here, week by week, as a table says it."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from cxr_app.evaluation.metrics import wilson_interval
from cxr_app.ui.text import formatting
from cxr_app.worklist import Agreement

FEWEST = 30
"""Films that a share must stand on; below it only the counts are told."""
TOO_FEW = "too few"
COUNTED = tuple(each.name for each in fields(Agreement) if each.name != "week")


def rows(weeks: Sequence[Agreement]) -> list[dict[str, str]]:
    """Say every week, the newest on top, and all of them together below."""
    said = [_row(f"{week.week:%Y-%m-%d}", week) for week in reversed(weeks)]
    return [*said, _row("All", _together(weeks))]


def _together(weeks: Sequence[Agreement]) -> Agreement:
    """Add the films of all weeks up."""
    return Agreement(weeks[0].week, *(sum(map(attrgetter(name), weeks)) for name in COUNTED))


def _row(name: str, week: Agreement) -> dict[str, str]:
    right = week.true_positive + week.true_negative
    wrong = week.false_positive + week.false_negative
    return {
        "Week from": name,
        "Films judged": f"{right + wrong:,}",
        "Agreement": _share(right, right + wrong),
        "Sensitivity": _share(week.true_positive, week.true_positive + week.false_negative),
        "Specificity": _share(week.true_negative, week.true_negative + week.false_positive),
        "Missed": f"{week.false_negative:,}",
        "False alarms": f"{week.false_positive:,}",
        "Not usable": f"{week.unusable:,}",
    }


def _share(part: int, whole: int) -> str:
    """Say a share with its interval and what it stands on: ``95 % (89–98) of 120``."""
    if whole < FEWEST:
        return f"{TOO_FEW}: {part:,} of {whole:,}" if whole else ""
    low, high = wilson_interval(part, whole)
    return f"{formatting.percent(part / whole)} ({low * 100:.0f}–{high * 100:.0f}) of {whole:,}"
