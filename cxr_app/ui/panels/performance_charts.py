"""Charts of the Model page, drawn with Plotly; the page's theme sets background and font."""

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
BARS_HEIGHT = 0.24
"""Height of the film counts below the zero line of the calibration chart."""
CORNER = 0.3
"""Side of the top left corner of the ROC, shown alone if all operating points lie in it."""
TICKS = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1440, 2880, 7200, 14400)
"""Tick marks of the waiting time axis, in minutes."""


def roc(curve: OperatingCurve, here: AtThreshold, points: Mapping[str, AtThreshold]) -> go.Figure:
    """Draw the ROC curve with its band, the named operating points and the selected one."""
    figure = _frame("False positive rate (1 - specificity)", "Sensitivity")
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=GRID, y=curve.roc_low, **band)
    figure.add_scatter(x=GRID, y=curve.roc_high, fill="tonexty", fillcolor=BAND, **band)
    figure.add_scatter(
        x=np.append(0.0, GRID),
        y=np.append(0.0, curve.roc),  # from the threshold that flags nothing
        mode="lines",
        line={"color": TEAL, "width": 2, "shape": "hv"},
        hovertemplate="false positive rate %{x:.1%}<br>sensitivity %{y:.1%}<extra></extra>",
    )
    labels = ("bottom right", "top right")  # on the same side they would overlap
    for label, (name, point) in zip(labels, points.items(), strict=True):
        _mark(figure, point, name, label=label, symbol="circle-open", colour=GREY, size=11)
    _mark(figure, here, "", label="top right", symbol="diamond", colour=ORANGE, size=13)
    shown = (*points.values(), here)
    corner = all(
        1 - point.specificity.value < CORNER and point.sensitivity.value > 1 - CORNER
        for point in shown
    )
    side = CORNER if corner else 1.0
    figure.update_xaxes(range=(-side / 50, side), tickformat=".0%")
    figure.update_yaxes(range=(1 - side, 1 + side / 50), tickformat=".0%")
    return figure


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Draw the observed frequency of pneumonia by predicted probability, with film counts."""
    figure = _frame("Predicted probability", "Observed frequency of pneumonia")
    predicted = [each.predicted for each in bins]
    counts = [each.films for each in bins]
    figure.add_bar(
        x=[(int(value * ECE_BINS) + 0.5) / ECE_BINS for value in predicted],
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
    observed = [each.observed for each in bins]
    figure.add_scatter(
        x=predicted,
        y=[each.value for each in observed],
        mode="markers",
        marker={"color": TEAL, "size": 8},
        error_y=_error_bars(observed, TEAL),
        customdata=counts,
        cliponaxis=False,
        hovertemplate="predicted %{x:.1%}, observed %{y:.1%}<br>%{customdata} films<extra></extra>",
    )
    figure.update_xaxes(range=(-0.02, 1.02), tickformat=".0%")
    figure.update_yaxes(
        range=(-BARS_HEIGHT, 1.04), tickformat=".0%", tickvals=np.arange(0, 1.1, 0.2)
    )
    scale = (1.04 + BARS_HEIGHT) / (0.6 * BARS_HEIGHT)
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
    """Draw waiting times by kind of film and reading order, on a logarithmic axis."""
    figure = _frame("Waiting time", "")
    for discipline, colour in COLOURS.items():
        kinds = [kind for kind in performance_text.KINDS if found[discipline][kind].films]
        summaries = [found[discipline][kind] for kind in kinds]
        names = [performance_text.KINDS[kind] for kind in kinds]
        orders = [performance_text.ORDERS[discipline]] * len(kinds)
        for statistic, symbol in (
            ("median", "line-ns-open"),
            ("mean", "circle"),
            ("percentile_95", "diamond-open"),
            ("longest", "triangle-right"),
        ):
            estimates = [getattr(summary, statistic) for summary in summaries]
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
                error_x=_error_bars(estimates, colour) if statistic != "median" else None,
                customdata=[performance_text.wait(each.value) for each in estimates],
                hovertemplate=f"{statistic.replace('_', ' ')} %{{customdata}}<extra></extra>",
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
    """Mark an operating point; do nothing if its sensitivity or specificity is undefined."""
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
        hovertemplate=f"threshold {point.threshold:.1%}<br>sensitivity %{{y:.1%}}, "
        "false positive rate %{x:.1%}<extra></extra>",
    )


def _error_bars(estimates: Sequence[Estimate], colour: str) -> dict[str, Any]:
    """Return error bars for the intervals."""
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
    """Return an empty figure without zoom or drag, so that scrolling moves the page."""
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
