"""The curves of a training while it runs: loss and AUROC, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

LOSS_COLOUR, AUROC_COLOUR, GRID_COLOUR = "#8b94a3", "#4fb3c4", "rgba(139, 148, 163, 0.25)"
HEIGHT = 260


def training_curves(epochs: Sequence[Mapping[str, Any]], total: int | None) -> go.Figure:
    """Draw the loss on the films that teach, and the AUROC on those that tune.

    Parameters
    ----------
    epochs
        As training writes them, one entry each.
    total
        How many there will be, so that the axis does not move; None where that is not known.
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
        name="AUROC on tune films",
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
    """Write below the curves where each network's epochs begin, if there are several."""
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
    """List one figure of every epoch; where another network's epochs begin, the line is broken."""
    values: list[float | None] = []
    for number, line in enumerate(epochs):
        if number and line.get("architecture") != epochs[number - 1].get("architecture"):
            values.append(None)
        values.append(line[key])
    return values


def _step(last: int) -> int:
    """Choose whole numbers on the axis of epochs, some ten of them."""
    return max(1, round(last / 10))
