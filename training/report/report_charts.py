"""Charts of the report page, drawn with Plotly; bands are 95 % intervals by drawing patients."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from plotly import graph_objects as go
from sklearn.metrics import precision_recall_curve

from cxr_app.evaluation.metrics import (
    ECE_BINS,
    GRID,
    Booleans,
    Floats,
    bins_of,
    bootstrap_band,
    predictive_values,
    roc,
)
from cxr_app.prediction import OperatingPoint
from training.measure.predictions import Predictions

NORMAL, PNEUMONIA, BACTERIAL, VIRAL = "#4e79a7", "#c8553d", "#c8553d", "#e0a030"
INK, FAINT, BAND = "#22303c", "#aab4bd", "rgba(200, 85, 61, 0.18)"
BINS = 40
HEIGHT = 420

LABEL_WIDTH, LABEL_HEIGHT = 0.4, 0.1
"""Room that the label of an operating point takes in the ROC, in shares of an axis."""


def receiver_operating_characteristic(
    scored: Predictions, points: Sequence[OperatingPoint], measured: Sequence[Mapping[str, Any]]
) -> go.Figure:
    """Draw sensitivity against false alarms, with the operating points as measured here."""
    figure = _frame(
        "Share of false alarms (1 - specificity)",
        "Sensitivity",
        x=(-0.01, 1.01),
        y=(-0.01, 1.01),
    )
    curve = _curve(scored, roc)
    _band(figure, scored, roc)
    figure.add_scatter(x=GRID, y=GRID, mode="lines", line={"color": FAINT, "dash": "dot"})
    figure.add_scatter(x=GRID, y=curve, mode="lines", line={"color": PNEUMONIA, "width": 2})
    marked: list[tuple[float, float]] = []
    for point, found in zip(points, measured, strict=True):
        _mark(figure, point.name, found, marked)
    return figure


def _mark(
    figure: go.Figure, name: str, found: Mapping[str, Any], marked: list[tuple[float, float]]
) -> None:
    """Mark an operating point; its label is kept clear of those of the points marked before."""
    sensitivity, specificity = (found[side]["value"] for side in ("sensitivity", "specificity"))
    if sensitivity is None or specificity is None:
        return
    place = (1 - specificity, sensitivity)
    is_near = any(
        abs(place[0] - x) < LABEL_WIDTH and abs(place[1] - y) < LABEL_HEIGHT for x, y in marked
    )
    marked.append(place)
    figure.add_scatter(
        x=[place[0]],
        y=[place[1]],
        mode="markers+text",
        marker={"color": INK, "size": 9},
        text=[name.replace("_", " ")],
        textposition="top right" if is_near else "bottom right",
        textfont={"color": INK},
        cliponaxis=False,
    )


def precision_recall(scored: Predictions) -> go.Figure:
    """Draw precision against sensitivity; the dotted line is the precision of chance."""
    figure = _frame("Sensitivity (recall)", "PPV (precision)", x=(-0.01, 1.01), y=(-0.01, 1.01))
    _band(figure, scored, _precision)
    share = float(scored.truth.mean())
    figure.add_scatter(x=[0, 1], y=[share] * 2, mode="lines", line={"color": FAINT, "dash": "dot"})
    curve = _curve(scored, _precision)
    figure.add_scatter(x=GRID, y=curve, mode="lines", line={"color": PNEUMONIA, "width": 2})
    return figure


def reliability_diagram(scored: Predictions) -> go.Figure:
    """Draw observed against predicted probability; a dot's area is its share of films."""
    figure = _frame(
        "Probability of pneumonia", "Share with pneumonia", x=(-0.03, 1.03), y=(-0.03, 1.03)
    )
    pneumonia, truth = scored.pneumonia, scored.truth
    low, high = bootstrap_band(lambda i: _observed(pneumonia[i], truth[i]), scored.patients)
    observed, bins = _observed(pneumonia, truth), bins_of(pneumonia)
    counts = np.bincount(bins, minlength=ECE_BINS)
    middles = np.bincount(bins, weights=pneumonia, minlength=ECE_BINS) / np.maximum(counts, 1)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": FAINT, "dash": "dot"})
    figure.add_scatter(
        x=middles[counts > 0],
        y=observed[counts > 0],
        mode="markers",
        cliponaxis=False,
        marker={"color": PNEUMONIA, "size": 8 + 30 * np.sqrt(counts[counts > 0] / len(truth))},
        error_y={
            "type": "data",
            "array": (high - observed)[counts > 0],
            "arrayminus": (observed - low)[counts > 0],
            "color": INK,
            "thickness": 1,
        },
        customdata=counts[counts > 0],
        hovertemplate="%{customdata} films<br>predicted %{x:.3f}, observed %{y:.3f}<extra></extra>",
    )
    return figure


def confusion_matrix(counts: Mapping[str, int]) -> go.Figure:
    """Draw truth against flag at the operating point, with each row in shares of its films."""
    cells = np.array(
        [
            [counts["true_negative"], counts["false_positive"]],
            [counts["false_negative"], counts["true_positive"]],
        ]
    )
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    figure = _frame("", "")
    figure.add_heatmap(
        x=["not flagged", "flagged"],
        y=["without pneumonia", "with pneumonia"],
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#ffffff"], [1, "#9db8d3"]],
        showscale=False,
        text=[
            [f"{n:,}<br>{share:.1%}" for n, share in zip(*row, strict=True)]
            for row in zip(cells, shares, strict=True)
        ],
        texttemplate="%{text}",
        textfont={"size": 18, "color": INK},
        hoverinfo="skip",
    )
    figure.update_layout(yaxis={"autorange": "reversed"})
    return figure


def histogram(
    scored: Predictions, points: Sequence[OperatingPoint], *, by_cause: bool
) -> go.Figure:
    """Draw a histogram of the probabilities by class or by cause, on a logarithmic scale."""
    figure = _frame("Probability of pneumonia", "Films", x=(0, 1))
    causes = np.array(scored.causes)
    groups = {
        "without pneumonia": (~scored.truth, NORMAL),
        "with pneumonia": (scored.truth, PNEUMONIA),
    }
    if by_cause:
        groups = {
            "bacterial": (causes == "bacterial", BACTERIAL),
            "viral": (causes == "viral", VIRAL),
        }
    edges = np.linspace(0, 1, BINS + 1)
    for name, (chosen, colour) in groups.items():
        counts, _ = np.histogram(scored.pneumonia[chosen], edges)
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2, y=counts, name=name, marker_color=colour, opacity=0.75
        )
    for point in points:
        figure.add_vline(
            point.threshold,
            line={"color": INK, "dash": "dot", "width": 1},
            annotation={"text": point.name.replace("_", " "), "textangle": -90, "font_size": 11},
        )
    figure.update_layout(barmode="overlay", bargap=0.05, showlegend=True)
    most = max((max(bar.y, default=1) for bar in figure.data), default=1)
    figure.update_yaxes(type="log", dtick=1, range=(np.log10(0.7), np.log10(max(most, 10) * 1.5)))
    return figure


def values_by_prevalence(point: Mapping[str, Any]) -> go.Figure:
    """Draw the predictive values over the prevalence of pneumonia."""
    figure = _frame("Share of films with pneumonia", "Predictive value", x=(0, 1), y=(-0.01, 1.01))
    sensitivity, specificity = (point[side]["value"] for side in ("sensitivity", "specificity"))
    if sensitivity is None or specificity is None:
        return figure
    shares = GRID[1:-1]
    values = np.array([predictive_values(sensitivity, specificity, share) for share in shares])
    for column, (name, colour) in enumerate((("PPV", PNEUMONIA), ("NPV", NORMAL))):
        figure.add_scatter(
            x=shares, y=values[:, column], mode="lines", name=name, line={"color": colour}
        )
    figure.add_vline(point["prevalence"], line={"color": INK, "dash": "dot", "width": 1})
    figure.update_layout(showlegend=True)
    return figure


def perturbation(kind: str, curves: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw the score while marked places are hidden or shown, for a map and the baselines."""
    figure = _frame(f"Share of the film, {kind}", "Probability of pneumonia", y=(-0.01, 1.01))
    for colour, entry in zip((PNEUMONIA, FAINT, NORMAL), curves, strict=True):
        shares = np.linspace(0, 1, len(entry["curve"]))
        line = {"color": colour, "width": 2}
        figure.add_scatter(x=shares, y=entry["curve"], mode="lines", name=entry["map"], line=line)
    figure.update_layout(showlegend=True)
    return figure


def _curve(scored: Predictions, kind: Any) -> Floats:
    """Compute a curve of all films."""
    curve: Floats = kind(scored.pneumonia, scored.truth)
    return curve


def _band(figure: go.Figure, scored: Predictions, kind: Any) -> None:
    """Draw the 95 % band of a curve."""
    pneumonia, truth = scored.pneumonia, scored.truth
    low, high = bootstrap_band(lambda i: kind(pneumonia[i], truth[i]), scored.patients)
    edge = partial(figure.add_scatter, x=GRID, mode="lines", line={"width": 0}, hoverinfo="skip")
    edge(y=low)
    edge(y=high, fill="tonexty", fillcolor=BAND)


def _precision(pneumonia: Floats, truth: Booleans) -> Floats:
    """Return the precision at each sensitivity of `GRID`, at the first threshold to reach it."""
    if not truth.any() or truth.all():
        return np.full(len(GRID), np.nan)
    precision, recall, _ = precision_recall_curve(truth, pneumonia)
    rising = recall[::-1]
    place = np.minimum(np.searchsorted(rising, GRID - 1e-12), len(rising) - 1)
    stairs: Floats = precision[::-1][place]
    return stairs


def _observed(pneumonia: Floats, truth: Booleans) -> Floats:
    """Return the share of pneumonia in each bin; NaN if it is empty."""
    bins = bins_of(pneumonia)
    counts = np.bincount(bins, minlength=ECE_BINS)
    positives = np.bincount(bins, weights=truth, minlength=ECE_BINS)
    return np.where(counts > 0, positives / np.maximum(counts, 1), np.nan)


def _frame(
    x_title: str,
    y_title: str,
    x: tuple[float, float] | None = None,
    y: tuple[float, float] | None = None,
) -> go.Figure:
    """Build an empty figure in the report's style."""
    axis = {"gridcolor": "#e9edf0", "zeroline": False, "linecolor": FAINT, "ticks": "outside"}
    return go.Figure(
        layout={
            "template": "none",
            "height": HEIGHT,
            "margin": {"l": 64, "r": 16, "t": 16, "b": 56},
            "font": {"family": "system-ui, sans-serif", "color": INK, "size": 13},
            "xaxis": {**axis, "title": {"text": x_title}, "range": x, "automargin": True},
            "yaxis": {**axis, "title": {"text": y_title}, "range": y, "automargin": True},
            "showlegend": False,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        }
    )
