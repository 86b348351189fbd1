"""Training curves while a training runs: loss and AUROC by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

LOSS_COLOUR, AUROC_COLOUR, GRID_COLOUR = "#8b94a3", "#4fb3c4", "rgba(139, 148, 163, 0.25)"
HEIGHT = 260


def training_curves(epochs: Sequence[Mapping[str, Any]], total: int | None) -> go.Figure:
    """Draw the loss on the training films and the AUROC on the tuning films.

    Parameters
    ----------
    epochs
        Records as the training command writes them, one per epoch.
    total
        Planned number of epochs, which fixes the axis; None if unknown.
    """
    numbers = _with_gaps(epochs, "epoch")
    figure = go.Figure()
    figure.add_scatter(
        x=numbers,
        y=_with_gaps(epochs, "train_loss"),
        name="training loss",
        mode="lines+markers",
        line={"color": LOSS_COLOUR, "dash": "dot"},
        marker={"symbol": "square"},
    )
    figure.add_scatter(
        x=numbers,
        y=_with_gaps(epochs, "tune_auroc"),
        name="AUROC on tuning films",
        mode="lines+markers",
        line={"color": AUROC_COLOUR},
        yaxis="y2",
    )
    last = max(total or 1, *(line["epoch"] for line in epochs), 1)
    lowest = min([0.5, *(line["tune_auroc"] for line in epochs)])
    axis = {"gridcolor": GRID_COLOUR, "zeroline": False}
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.15, "x": 0},
        xaxis={"title": "epoch", "range": [0.5, last + 0.5], "dtick": _step(last), **axis},
        yaxis={"title": "loss", "rangemode": "tozero", **axis},
        yaxis2={
            "title": "AUROC",
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "tickmode": "auto",
            "tickformat": ".2f",
            "range": [lowest - 0.02, 1.02],
        },
        uirevision="curves",
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    _name_networks(figure, epochs)
    return figure


def _name_networks(figure: go.Figure, epochs: Sequence[Mapping[str, Any]]) -> None:
    """Label where each network's epochs begin, if there are several networks."""
    first = {str(line.get("architecture")): line["epoch"] for line in reversed(epochs)}
    for name, epoch in first.items() if len(first) > 1 else ():
        figure.add_annotation(
            x=epoch,
            y=0.02,
            yref="paper",
            text=name,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"color": LOSS_COLOUR, "size": 11},
        )


def _with_gaps(epochs: Sequence[Mapping[str, Any]], key: str) -> list[float | None]:
    """Return one value per epoch, with a gap where another network's epochs begin."""
    values: list[float | None] = []
    for number, line in enumerate(epochs):
        if number and line.get("architecture") != epochs[number - 1].get("architecture"):
            values.append(None)
        values.append(line[key])
    return values


def _step(last: int) -> int:
    """Return a tick distance that gives about ten ticks."""
    return max(1, round(last / 10))
