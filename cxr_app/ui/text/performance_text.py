"""Text for the Model page: metrics with their intervals, waiting times, subgroups."""

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
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.prediction import OperatingPoint
from cxr_app.ui.text import formatting

UNKNOWN = "–"
POINTS = {"balanced": "balanced", "high_sensitivity": "high sensitivity"}
ORDERS = {
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


def site_prevalence(scores: FilmScores, prevalence: float) -> str:
    """Describe for which share of pneumonia probabilities are shown, beside that of the films."""
    share = float(scores.truth.mean())
    return (
        f"Probabilities are for a share of pneumonia of {prevalence * 100:.3g} %, which this site "
        f"has set; {share * 100:.0f} % of these films show pneumonia, so that the calibration "
        "curve lies off the diagonal here. The same films are flagged."
    )


def threshold(value: float, points: Mapping[str, OperatingPoint]) -> str:
    """Return a threshold and, if it is one, the name of its operating point."""
    names = [name for key, name in POINTS.items() if points[key].threshold == value]
    return " · ".join([f"{value * 100:.1f} %", *names[:1]])


def percentage(value: float) -> str:
    """Return a measured proportion: ``97.7 %``."""
    return UNKNOWN if math.isnan(value) else f"{value * 100:.1f} %"


def percentage_interval(estimate: Estimate) -> str:
    """Return the interval of a proportion: ``95.8–99.0``."""
    return _interval(estimate, lambda value: f"{value * 100:.1f}")


def ratio(value: float) -> str:
    """Return a ratio such as an AUROC: ``0.996``."""
    return UNKNOWN if math.isnan(value) else f"{value:.3f}"


def ratio_interval(estimate: Estimate) -> str:
    """Return the interval of a ratio: ``0.992–0.999``."""
    return _interval(estimate, lambda value: f"{value:.3f}")


def count(value: float) -> str:
    """Return a mean number of films: ``62``, ``4.1``."""
    if math.isnan(value):
        return UNKNOWN
    return _digits(value)


def count_interval(estimate: Estimate) -> str:
    """Return the interval of a mean number of films."""
    return _interval(estimate, count)


def wait(minutes: float) -> str:
    """Return a waiting time in one unit: ``4.3 min``, ``62 min``, ``3.9 h``, ``3.1 d``."""
    if math.isnan(minutes):
        return UNKNOWN
    unit, name = _unit(minutes)
    return f"{_digits(minutes / unit)} {name}"


def wait_with_interval(estimate: Estimate) -> str:
    """Return a waiting time and its interval in the same unit, as Markdown."""
    if math.isnan(estimate.low):
        return wait(estimate.value)
    unit, _ = _unit(estimate.value)
    low, high = (_digits(max(0.0, end) / unit) for end in (estimate.low, estimate.high))
    return f"{wait(estimate.value)} :gray[({low}–{high})]"


def wait_rows(waits: Waits) -> list[dict[str, str]]:
    """Return a table row for each kind of film and reading order, as Markdown."""
    rows = []
    for kind, label in KINDS.items():
        for number, (discipline, order) in enumerate(ORDERS.items()):
            found = waits[discipline][kind]
            rows.append(
                {
                    "Films": "" if number else f"**{label}**",
                    "Reading order": order,
                    "Mean wait": wait_with_interval(found.mean),
                    "Median": wait_with_interval(found.median),
                    "95th percentile": wait_with_interval(found.percentile_95),
                    "Longest": wait_with_interval(found.longest),
                }
            )
    return rows


def summary(waits: Waits) -> str:
    """Return what reading in AI order gains and costs, in a few sentences."""
    first, ai = waits[FIRST_COME], waits[AI_ORDER]
    sentences = [
        f"In AI order a film with pneumonia waits {wait(ai[PNEUMONIA].mean.value)} on average "
        f"instead of {wait(first[PNEUMONIA].mean.value)}, a film without it "
        f"{wait(ai[WITHOUT].mean.value)} instead of {wait(first[WITHOUT].mean.value)}, at "
        f"most {wait(ai[WITHOUT].longest.value)} instead of "
        f"{wait(first[WITHOUT].longest.value)}."
    ]
    if ai[MISSED].films:
        sentences.append(
            "A film with pneumonia that is not flagged waits "
            f"{wait(ai[MISSED].mean.value)} on average, at most "
            f"{wait(ai[MISSED].longest.value)}."
        )
    return " ".join(sentences)


def cap_note(waits: Waits, room: Room) -> str:
    """Return the effect of the waiting cap in this simulation."""
    longest = max(waits[AI_ORDER][kind].longest.value for kind in (PNEUMONIA, WITHOUT))
    hours = f"{room.cap_hours:g} h"
    if longest < room.cap_hours * 60:
        return f"Hardly any film waits {hours} here, so the cap has little or no effect."
    return f"A film that has waited {hours} rises to the top, whatever its probability."


def group_rows(groups: Sequence[Group]) -> list[dict[str, str]]:
    """Return a table row for each subgroup; small subgroups have no values."""
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
    """Return the name of a subgroup."""
    by = GROUPINGS.get(group.by)
    return formatting.escape_markdown(f"{by}: {group.name}" if by else "All films")


def _of_group(estimate: Estimate | None) -> str:
    """Return a proportion with its interval, or that there are too few films, as Markdown."""
    if estimate is None:
        return f":gray[fewer than {FEWEST} films: too few to estimate]"
    return f"{percentage(estimate.value)} :gray[({percentage_interval(estimate)})]"


def _interval(estimate: Estimate, write: Callable[[float], str]) -> str:
    """Return an interval; a dash if it is undefined."""
    if math.isnan(estimate.low):
        return UNKNOWN
    return f"{write(estimate.low)}–{write(estimate.high)}"


def _unit(minutes: float) -> tuple[float, str]:
    """Return the length in minutes and the name of the unit for a waiting time."""
    if minutes < 100:
        return 1, "min"
    return (60, "h") if minutes < 48 * 60 else (24 * 60, "d")


def _digits(value: float) -> str:
    """Return a number with two or three digits."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
