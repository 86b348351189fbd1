"""What the model is worth, in words: figures with their intervals, waits, groups of films."""

import math
from collections.abc import Callable, Mapping, Sequence

from cxr_app.evaluation.metrics import Estimate
from cxr_app.evaluation.operating_curve import FEWEST, Group
from cxr_app.evaluation.queue_simulation import (
    AI_ORDER,
    AI_ORDER_CAPPED,
    FIRST_COME,
    MISSED,
    PNEUMONIA,
    WITHOUT,
    Room,
    Wait,
)
from cxr_app.prediction import OperatingPoint
from cxr_app.ui.text import formatting

UNKNOWN = "–"
POINTS = {"balanced": "balanced", "high_sensitivity": "high sensitivity"}
DISCIPLINES = {
    FIRST_COME: "First come, first read",
    AI_ORDER: "AI order",
    AI_ORDER_CAPPED: "AI order with cap",
}
KINDS = {
    PNEUMONIA: "With pneumonia",
    WITHOUT: "Without pneumonia",
    MISSED: "Pneumonia, not flagged",
}
GROUPINGS = {
    "cause": "Cause",
    "view_position": "View",
    "patient_sex": "Sex",
    "age_group": "Age",
}

Waits = Mapping[str, Mapping[str, Wait]]


def threshold(value: float, points: Mapping[str, OperatingPoint]) -> str:
    """Say a threshold, and which operating point it is."""
    names = [name for key, name in POINTS.items() if points[key].threshold == value]
    return " · ".join([f"{value * 100:.1f} %", *names[:1]])


def share(value: float) -> str:
    """Say a measured share: ``97.7 %``."""
    return UNKNOWN if math.isnan(value) else f"{value * 100:.1f} %"


def share_interval(estimate: Estimate) -> str:
    """Say the interval of a share: ``95.8–99.0``."""
    return _between(estimate, lambda value: f"{value * 100:.1f}")


def ratio(value: float) -> str:
    """Say an area: ``0.996``."""
    return UNKNOWN if math.isnan(value) else f"{value:.3f}"


def ratio_interval(estimate: Estimate) -> str:
    """Say the interval of an area: ``0.992–0.999``."""
    return _between(estimate, lambda value: f"{value:.3f}")


def count(value: float) -> str:
    """Say a number of films a day: ``62``, ``4.1``."""
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def count_interval(estimate: Estimate) -> str:
    """Say the interval of such a number."""
    return _between(estimate, count)


def wait(minutes: float) -> str:
    """Say a wait in one unit: ``4.3 min``, ``62 min``, ``3.9 h``, ``3.1 d``."""
    if math.isnan(minutes):
        return UNKNOWN
    unit, name = _unit(minutes)
    return f"{_digits(minutes / unit)} {name}"


def wait_with_interval(estimate: Estimate) -> str:
    """Say a wait and its interval in the same unit, as Markdown."""
    if math.isnan(estimate.low):
        return wait(estimate.value)
    unit, _ = _unit(estimate.value)
    low, high = (_digits(max(0.0, end) / unit) for end in (estimate.low, estimate.high))
    return f"{wait(estimate.value)} :gray[({low}–{high})]"


def wait_rows(waits: Waits) -> list[dict[str, str]]:
    """Put the simulation into a table, a row for each kind of film and order, as Markdown."""
    rows = []
    for kind, of in KINDS.items():
        for number, (discipline, order) in enumerate(DISCIPLINES.items()):
            found = waits[discipline][kind]
            rows.append(
                {
                    "Films": "" if number else f"**{of}**",
                    "Read in the order": order,
                    "Mean wait": wait_with_interval(found.mean),
                    "Median": wait_with_interval(found.median),
                    "95th percentile": wait_with_interval(found.percentile_95),
                    "Longest": wait_with_interval(found.longest),
                }
            )
    return rows


def gist(waits: Waits) -> str:
    """Say in a few sentences what the AI order gives and what it takes."""
    first, ai = waits[FIRST_COME], waits[AI_ORDER]
    said = [
        f"In AI order a film with pneumonia waits {wait(ai[PNEUMONIA].mean.value)} on average "
        f"instead of {wait(first[PNEUMONIA].mean.value)}, a film without it "
        f"{wait(ai[WITHOUT].mean.value)} instead of {wait(first[WITHOUT].mean.value)}, at the "
        f"longest {wait(ai[WITHOUT].longest.value)} instead of "
        f"{wait(first[WITHOUT].longest.value)}."
    ]
    if ai[MISSED].films:
        said.append(
            "A film with pneumonia that is not flagged waits "
            f"{wait(ai[MISSED].mean.value)} on average, at the longest "
            f"{wait(ai[MISSED].longest.value)}."
        )
    return " ".join(said)


def cap_note(waits: Waits, room: Room) -> str:
    """Say what the waiting cap does here."""
    longest = max(waits[AI_ORDER][kind].longest.value for kind in (PNEUMONIA, WITHOUT))
    hours = f"{room.cap_hours:g} h"
    if longest < room.cap_hours * 60:
        return f"Hardly a film waits {hours} here, so the cap changes little or nothing."
    return f"A film that has waited {hours} rises to the top, whatever its probability."


def group_rows(groups: Sequence[Group]) -> list[dict[str, str]]:
    """Put the groups into a table; of few films nothing is said."""
    return [
        {
            "Group": _group(group),
            "Films with / without pneumonia": (
                f"{group.with_pneumonia:,} / "
                + ("–" if group.by == "cause" else f"{group.without_pneumonia:,}")
            ),
            "Sensitivity": _of_group(group.sensitivity),
            "Specificity": "–" if group.by == "cause" else _of_group(group.specificity),
        }
        for group in groups
    ]


def _group(group: Group) -> str:
    """Name a group."""
    by = GROUPINGS.get(group.by)
    return formatting.plain(f"{by}: {group.name}" if by else "All films")


def _of_group(estimate: Estimate | None) -> str:
    """Say a share of a group with its interval, or that there are too few films, as Markdown."""
    if estimate is None:
        return f":gray[fewer than {FEWEST} films: too few to say]"
    return f"{share(estimate.value)} :gray[({share_interval(estimate)})]"


def _between(estimate: Estimate, say: Callable[[float], str]) -> str:
    """Say an interval; where there is none, that too."""
    if math.isnan(estimate.low):
        return UNKNOWN
    return f"{say(estimate.low)}–{say(estimate.high)}"


def _unit(minutes: float) -> tuple[float, str]:
    """Choose the unit that a wait is said in, and how many minutes it has."""
    if minutes < 100:
        return 1, "min"
    return (60, "h") if minutes < 48 * 60 else (24 * 60, "d")


def _digits(value: float) -> str:
    """Say a number with two or three digits."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
