"""Text of the Drift page: figures with their intervals, alarms, and what has changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cxr_app.drift_alarms import LOWER_IS_WORSE, AlarmLines, DriftFigure
from cxr_app.evaluation.drift_changes import FilmGroup, beyond
from cxr_app.evaluation.drift_figures import FEWEST, Measured
from cxr_app.evaluation.drift_films import SenderFact, monday
from cxr_app.evaluation.metrics import Estimate
from cxr_app.ui.text import formatting
from cxr_app.worklist import Promotion

NAMES = {
    DriftFigure.FLAGGED: "Flagged",
    DriftFigure.REFUSED: "Refused",
    DriftFigure.PSI: "PSI",
    DriftFigure.KS: "KS",
    DriftFigure.AGREEMENT: "Agreement",
    DriftFigure.SENSITIVITY: "Sensitivity",
    DriftFigure.SPECIFICITY: "Specificity",
}
SENDERS = {
    SenderFact.STATION: "Station",
    SenderFact.MANUFACTURER: "Manufacturer",
    SenderFact.INSTITUTION: "Institution",
    SenderFact.VIEW: "View",
    SenderFact.AGE: "Age group",
}
DISTANCES = (DriftFigure.PSI, DriftFigure.KS)
NOT_STATED = "not stated"
ALARM = "▲"
TOO_FEW = "too few"
NO_REFERENCE = "no reference"


@dataclass(frozen=True, slots=True)
class SiteChange:
    """Something that may explain a change of the figures.

    Parameters
    ----------
    letter
        By which the charts name it.
    """

    letter: str
    day: date
    words: str


def changes(promotions: Iterable[Promotion], senders: Mapping[str, date]) -> list[SiteChange]:
    """Return the changes by date, each with a letter."""
    found = [
        (each.promoted_at.date(), f"Model {each.model_version} instead of {each.replaced_version}")
        for each in promotions
    ]
    found += [(day, f"First film of {name}") for name, day in senders.items()]
    return [SiteChange(_letter(place), *each) for place, each in enumerate(sorted(found))]


def change_rows(found: Sequence[SiteChange]) -> list[dict[str, str]]:
    """Return a row for each change."""
    return [
        {
            "Mark": each.letter,
            "Date": f"{each.day:%Y-%m-%d}",
            "What changed": formatting.escape_markdown(each.words),
        }
        for each in found
    ]


def week_rows(weeks: Mapping[int, FilmGroup], lines: AlarmLines) -> list[dict[str, str]]:
    """Return a row for each week with films, the latest first."""
    return [
        {"Week from": f"{monday(week):%Y-%m-%d}"} | _cells(weeks[week], lines)
        for week in sorted(weeks, reverse=True)
        if weeks[week].films
    ]


def sender_rows(
    by: SenderFact, groups: Mapping[str, FilmGroup], lines: AlarmLines
) -> list[dict[str, str]]:
    """Return a row for each sender."""
    return [
        {SENDERS[by]: formatting.escape_markdown(name or NOT_STATED)} | _cells(group, lines)
        for name, group in groups.items()
    ]


def alarms(groups: Mapping[str, FilmGroup], lines: AlarmLines) -> list[str]:
    """Return a sentence for each figure of each group that is beyond its line."""
    return [
        f"{name}: {_alarm(figure, group, lines[figure])}"
        for name, group in groups.items()
        for figure in beyond(group.figures, lines)
    ]


def line_words(lines: AlarmLines) -> str:
    """Return the lines in words: ``PSI above 0.25, Sensitivity below 90 %``."""
    return ", ".join(
        f"{NAMES[figure]} {_side(figure)} {_number(figure, line)}" for figure, line in lines.items()
    )


def no_figure(which: Iterable[DriftFigure], weeks: Iterable[FilmGroup]) -> str:
    """Return why a chart has no point, to stand in its place; empty if it has one.

    Parameters
    ----------
    which
        The figures on the chart.
    weeks
        The films of each week on it.
    """
    found = [group.figures[figure] for group in weeks for figure in which]
    if any(each.estimate is not None for each in found):
        return ""
    most = max((each.films for each in found), default=0)
    if most >= FEWEST:
        return NO_REFERENCE
    return f"{TOO_FEW}: at most {most} films a week, needed {FEWEST}" if most else "no films"


def _alarm(figure: DriftFigure, group: FilmGroup, line: float) -> str:
    estimate = group.figures[figure].estimate
    assert estimate is not None  # noqa: S101 - it is beyond its line
    found = f"{NAMES[figure]} {_with_interval(figure, estimate)}"
    return f"{found}, {_side(figure)} the line of {_number(figure, line)}"


def _cells(group: FilmGroup, lines: AlarmLines) -> dict[str, str]:
    alarmed = beyond(group.figures, lines)
    counts = {"Films": f"{group.films:,}", "Scored": f"{group.scored:,}"}
    cells = {
        NAMES[figure]: " ".join(filter(None, (_cell(figure, measured), _mark(figure in alarmed))))
        for figure, measured in group.figures.items()
    }
    return counts | cells


def _cell(figure: DriftFigure, measured: Measured) -> str:
    if measured.estimate is None:
        if measured.films >= FEWEST:
            return NO_REFERENCE
        return f"{TOO_FEW}: {measured.films}" if measured.films else ""
    return _with_interval(figure, measured.estimate)


def _with_interval(figure: DriftFigure, estimate: Estimate) -> str:
    """Return a figure with its interval: ``23 % (19–28)`` or ``0.31 (0.22–0.41)``."""
    if figure in DISTANCES:
        return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"
    interval = f"{estimate.low * 100:.0f}–{estimate.high * 100:.0f}"
    return f"{estimate.value * 100:.0f} % ({interval})"


def _number(figure: DriftFigure, value: float) -> str:
    return f"{value:g}" if figure in DISTANCES else f"{value * 100:g} %"


def _side(figure: DriftFigure) -> str:
    return "below" if figure in LOWER_IS_WORSE else "above"


def _mark(is_alarm: bool) -> str:
    return ALARM if is_alarm else ""


def _letter(place: int) -> str:
    """Return A to Z, then A1 and so on."""
    turn, letter = divmod(place, 26)
    return chr(ord("A") + letter) + (str(turn) if turn else "")
