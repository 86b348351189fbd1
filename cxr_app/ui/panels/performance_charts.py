"""The figures of the Model page, drawn with Plotly; the page's theme gives ground and letters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from plotly import graph_objects as go

from cxr_app.evaluation.metrics import ECE_BINS, GRID, Estimate
from cxr_app.evaluation.operating_curve import AtThreshold, Bin, OperatingCurve
from cxr_app.evaluation.queue_simulation import AI_ORDER, AI_ORDER_CAPPED, FIRST_COME
from cxr_app.ui.text import performance_text
from cxr_app.ui.text.performance_text import Waits

HEIGHT = 340
TEAL, ORANGE, GREY, FAINT = "#4fb3c4", "#f0a33a", "#8b98a9", "rgba(139, 152, 169, 0.45)"
BAND, BARS = "rgba(79, 179, 196, 0.22)", "rgba(79, 179, 196, 0.35)"
COLOURS = {FIRST_COME: GREY, AI_ORDER: TEAL, AI_ORDER_CAPPED: ORANGE}
BARS_SHARE = 0.24
"""How far the counts of films reach below the reliability's zero."""
CORNER = 0.3
"""Side of the corner of the ROC that is shown where all that matters lies there."""
TICKS = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1440, 2880, 7200, 14400)
"""Minutes that a wait's axis names."""


def roc(curve: OperatingCurve, here: AtThreshold, points: Mapping[str, AtThreshold]) -> go.Figure:
    """Draw sensitivity against false alarms with its band, the named points and this one."""
    figure = _frame("Flagged of films without pneumonia", "Flagged of films with pneumonia")
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=GRID, y=curve.roc_low, **band)
    figure.add_scatter(x=GRID, y=curve.roc_high, fill="tonexty", fillcolor=BAND, **band)
    figure.add_scatter(
        x=np.append(0.0, GRID),
        y=np.append(0.0, curve.roc),  # what flags nothing, and up from there
        mode="lines",
        line={"color": TEAL, "width": 2, "shape": "hv"},
        hovertemplate="%{x:.1%} flagged without<br>%{y:.1%} flagged with<extra></extra>",
    )
    labels = ("bottom right", "top right")  # beside each other they would lie upon each other
    for label, (name, point) in zip(labels, points.items(), strict=True):
        _mark(figure, point, name, label=label, symbol="circle-open", colour=GREY, size=11)
    _mark(figure, here, "", label="top right", symbol="diamond", colour=ORANGE, size=13)
    seen = (*points.values(), here)
    corner = all(
        1 - point.specificity.value < CORNER and point.sensitivity.value > 1 - CORNER
        for point in seen
    )
    side = CORNER if corner else 1.0
    figure.update_xaxes(range=(-side / 50, side), tickformat=".0%")
    figure.update_yaxes(range=(1 - side, 1 + side / 50), tickformat=".0%")
    return figure


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Draw how often films of a probability have pneumonia; bars below count the films."""
    figure = _frame("Probability that the model says", "Films with pneumonia")
    said = [each.said for each in bins]
    counts = [each.films for each in bins]
    figure.add_bar(
        x=[(int(value * ECE_BINS) + 0.5) / ECE_BINS for value in said],
        y=counts,
        width=0.9 / ECE_BINS,
        yaxis="y2",
        marker={"color": BARS},
        text=counts,
        textposition="outside",
        textfont={"size": 10, "color": GREY},
        cliponaxis=False,
        hovertemplate="%{y} films<extra></extra>",
    )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": FAINT, "dash": "dot"}, hoverinfo="skip"
    )
    seen = [each.seen for each in bins]
    figure.add_scatter(
        x=said,
        y=[each.value for each in seen],
        mode="markers",
        marker={"color": TEAL, "size": 8},
        error_y=_error(seen, TEAL),
        customdata=counts,
        cliponaxis=False,
        hovertemplate="said %{x:.1%}, seen %{y:.1%}<br>of %{customdata} films<extra></extra>",
    )
    figure.update_xaxes(range=(-0.02, 1.02), tickformat=".0%")
    figure.update_yaxes(
        range=(-BARS_SHARE, 1.04), tickformat=".0%", tickvals=np.arange(0, 1.1, 0.2)
    )
    scale = (1.04 + BARS_SHARE) / (0.6 * BARS_SHARE)
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "range": (0, max(counts) * scale),
            "visible": False,
            "fixedrange": True,
        }
    )
    return figure


def waits(found: Waits) -> go.Figure:
    """Draw the waits of each kind of film in each order, on a logarithmic axis."""
    figure = _frame("Wait", "")
    for discipline, colour in COLOURS.items():
        kinds = [kind for kind in performance_text.KINDS if found[discipline][kind].films]
        summaries = [found[discipline][kind] for kind in kinds]
        names = [performance_text.KINDS[kind] for kind in kinds]
        orders = [performance_text.DISCIPLINES[discipline]] * len(kinds)
        for figure_name, symbol in (
            ("median", "line-ns-open"),
            ("mean", "circle"),
            ("percentile_95", "diamond-open"),
            ("longest", "triangle-right"),
        ):
            estimates = [getattr(summary, figure_name) for summary in summaries]
            figure.add_scatter(
                x=[max(each.value, 0.1) for each in estimates],
                y=[names, orders],
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": 11,
                    "line": {"width": 2, "color": colour},
                },
                error_x=_error(estimates, colour) if figure_name != "median" else None,
                customdata=[performance_text.wait(each.value) for each in estimates],
                hovertemplate=f"{figure_name.replace('_', ' ')} %{{customdata}}<extra></extra>",
            )
    figure.update_xaxes(
        type="log",
        tickvals=TICKS,
        ticktext=[performance_text.wait(tick).replace(".0", "") for tick in TICKS],
    )
    figure.update_yaxes(autorange="reversed", showdividers=True, dividercolor=FAINT)
    figure.update_layout(height=HEIGHT + 40)
    return figure


def _mark(figure: go.Figure, point: AtThreshold, name: str, **marker: Any) -> None:
    """Mark where a threshold falls; nothing where these films cannot tell."""
    sensitivity, specificity = point.sensitivity.value, point.specificity.value
    if np.isnan(sensitivity) or np.isnan(specificity):
        return
    figure.add_scatter(
        x=[1 - specificity],
        y=[sensitivity],
        mode="markers+text",
        marker={
            "symbol": marker["symbol"],
            "color": marker["colour"],
            "size": marker["size"],
            "line": {"width": 2},
        },
        text=[name],
        textposition=marker["label"],
        textfont={"color": GREY},
        cliponaxis=False,
        hovertemplate=f"at {point.threshold:.1%}<br>%{{y:.1%}} of films with, "
        "%{x:.1%} without<extra></extra>",
    )


def _error(estimates: Sequence[Estimate], colour: str) -> dict[str, Any]:
    """Draw intervals."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [each.high - each.value for each in estimates],
        "arrayminus": [min(each.value - each.low, each.value * 0.95) for each in estimates],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }


def _frame(x_title: str, y_title: str) -> go.Figure:
    """Give an empty figure that neither zooms nor drags: a page is scrolled over it."""
    axis = {"zeroline": False, "fixedrange": True, "automargin": True}
    return go.Figure(
        layout={
            "height": HEIGHT,
            "margin": {"l": 8, "r": 16, "t": 24, "b": 8},
            "xaxis": {**axis, "title": {"text": x_title}},
            "yaxis": {**axis, "title": {"text": y_title}},
            "showlegend": False,
            "dragmode": False,
        }
    )
