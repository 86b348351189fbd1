"""Charts of the Drift page, drawn with Plotly; the page's theme sets background and font."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from plotly import graph_objects as go

from cxr_app.drift_alarms import AlarmLines, DriftFigure
from cxr_app.evaluation.drift_changes import FilmGroup, Reference
from cxr_app.evaluation.drift_films import monday
from cxr_app.ui.panels.performance_charts import FAINT, GREY, ORANGE, TEAL
from cxr_app.ui.text import drift_text
from cxr_app.ui.text.drift_text import SiteChange

HEIGHT = 230
RED = "#d9534f"
SHADE = "rgba(139, 152, 169, 0.12)"
COLOURS = (TEAL, ORANGE, GREY)
MIDWEEK = timedelta(days=3, hours=12)
Weeks = Mapping[int, FilmGroup]


def film_counts(weeks: Weeks, changes: Sequence[SiteChange], reference: Reference) -> go.Figure:
    """Draw the films of each week: flagged, not flagged, refused, not scored by this model."""
    figure = _frame(weeks, changes, reference)
    groups = list(weeks.values())
    for name, counts, colour in (
        ("flagged", [each.flagged for each in groups], ORANGE),
        ("not flagged", [each.scored - each.flagged for each in groups], TEAL),
        ("refused", [each.refused for each in groups], GREY),
        ("other", [each.films - each.scored - each.refused for each in groups], FAINT),
    ):
        if any(counts):
            figure.add_bar(
                x=[monday(week) + MIDWEEK for week in weeks],
                y=counts,
                name=name,
                marker={"color": colour},
                hovertemplate=f"%{{y:,}} {name}<extra></extra>",
            )
    figure.update_layout(barmode="stack", bargap=0.15)
    return figure


def shares(
    figures: Sequence[DriftFigure],
    weeks: Weeks,
    changes: Sequence[SiteChange],
    reference: Reference,
    lines: AlarmLines,
) -> go.Figure:
    """Draw shares or distances week by week, with their intervals and lines."""
    figure = _frame(weeks, changes, reference)
    distances = all(each in drift_text.DISTANCES for each in figures)
    for place, each in enumerate(figures):
        offset = timedelta(hours=18 * (place - (len(figures) - 1) / 2))
        _points(figure, each, weeks, COLOURS[place], offset, distances=distances)
        if each in lines:
            figure.add_hline(y=lines[each], line={"color": RED, "width": 1, "dash": "dash"})
    figure.update_yaxes(rangemode="tozero", tickformat=".2f" if distances else ".0%")
    if without := drift_text.no_figure(figures, weeks.values()):
        _say_instead(figure, without)
    return figure


def _say_instead(figure: go.Figure, words: str) -> None:
    """Put words where the points would be, over the axis that these would have."""
    figure.update_yaxes(range=(0, 1))
    figure.add_annotation(
        x=0.5, y=0.5, xref="paper", yref="paper", text=words, showarrow=False, font={"size": 13}
    )


def _points(
    figure: go.Figure,
    which: DriftFigure,
    weeks: Weeks,
    colour: str,
    offset: timedelta,
    *,
    distances: bool,
) -> None:
    found = [
        (monday(week) + MIDWEEK + offset, group.figures[which])
        for week, group in weeks.items()
        if group.figures[which].estimate is not None
    ]
    estimates = [each.estimate for _, each in found if each.estimate is not None]
    form = ".2f" if distances else ".1%"
    figure.add_scatter(
        x=[day for day, _ in found],
        y=[each.value for each in estimates],
        name=drift_text.NAMES[which],
        mode="markers+lines",
        line={"color": colour, "width": 1},
        marker={"color": colour, "size": 6},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [each.high - each.value for each in estimates],
            "arrayminus": [each.value - each.low for each in estimates],
            "color": colour,
            "thickness": 1,
            "width": 0,
        },
        customdata=[(each.films, *_ends(each.estimate)) for _, each in found],
        hovertemplate=f"{drift_text.NAMES[which]} %{{y:{form}}} "
        f"(%{{customdata[1]:{form}}} to %{{customdata[2]:{form}}}) "
        "of %{customdata[0]:,} films<extra></extra>",
    )


def _ends(estimate: Any) -> tuple[float, float]:
    return estimate.low, estimate.high


def _frame(weeks: Weeks, changes: Sequence[SiteChange], reference: Reference) -> go.Figure:
    """Return an empty figure over the weeks: reference shaded, changes as lines with letters."""
    first, last = monday(min(weeks)), monday(max(weeks) + 1)
    axis = {"zeroline": False, "fixedrange": True, "automargin": True}
    figure = go.Figure(
        layout={
            "height": HEIGHT,
            "margin": {"l": 8, "r": 8, "t": 34, "b": 8},
            "xaxis": {**axis, "range": (first, last), "type": "date"},
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "showlegend": True,
            "dragmode": False,
            "hovermode": "x",
        }
    )
    if reference.weeks is not None:
        figure.add_shape(
            type="rect",
            x0=max(first, monday(reference.weeks.start)),
            x1=max(first, monday(reference.weeks.stop)),
            y0=0,
            y1=1,
            yref="paper",
            fillcolor=SHADE,
            line={"width": 0},
            layer="below",
        )
    for change in changes:
        if first <= change.day < last:
            _mark(figure, change)
    return figure


def _mark(figure: go.Figure, change: SiteChange) -> None:
    line = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=change.day, x1=change.day, y0=0, y1=1, yref="paper", line=line)
    figure.add_annotation(
        x=change.day,
        y=1,
        yref="paper",
        yanchor="top",
        xanchor="left",
        text=change.letter,
        hovertext=change.words,
        showarrow=False,
        font={"size": 11},
    )
