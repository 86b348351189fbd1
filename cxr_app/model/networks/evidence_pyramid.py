"""The pneumonia network: evidence for disease in every cell of what it reads, and its sum.

The cells of a fine grid each give a log-odds; the film's log-odds is their weighted sum. So the
heatmap is the decision itself, part by part, from the same forward pass.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.model.networks.efficientnet_lite import (
    COARSE,
    FINE,
    MIDDLE,
    EfficientNetLite0,
    convolution,
    double,
    standardise,
)

CELL = 8
"""Pixels of the crop from one cell of the grid to the next."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Results of one forward pass on a batch of lung crops or whole films.

    Parameters
    ----------
    cells
        ``(B, h, w)``: log-odds of disease of every cell of the grid (side of the crop / 8).
    weights
        ``(B, h, w)``: how much each cell counts, 1 in all: ``(weights * cells).sum()`` is the
        log-odds of the film.
    log_odds
        ``(B,)``: of pneumonia, not calibrated.
    cause
        ``(B,)``: log-odds of viral against bacterial, given pneumonia.
    adult
        ``(B,)``: log-odds that the patient is an adult.
    """

    cells: Tensor
    weights: Tensor
    log_odds: Tensor
    cause: Tensor
    adult: Tensor


class EvidencePyramid(nn.Module):
    """EfficientNet-Lite0, a small feature pyramid (Lin et al. 2017), and one evidence head.

    Parameters
    ----------
    width
        Channels of the pyramid.
    sharpness
        Of the pooling: 0 is the mean of all cells, a large value the hottest cell alone.
    dropout
        Share of the channels that are dropped in training.
    """

    def __init__(self, width: int = 96, sharpness: float = 0.7, dropout: float = 0.2) -> None:
        super().__init__()
        self.sharpness = sharpness
        self.body = EfficientNetLite0()
        self.lateral = nn.ModuleList(
            [convolution(channels, width, 1, active=False) for channels in (FINE, MIDDLE, COARSE)]
        )
        self.smooth = nn.ModuleList([_smoothing(width) for _ in range(2)])
        self.dropout = nn.Dropout2d(dropout)
        self.cell = nn.Conv2d(width, 1, 1)
        self.coarse_cell = nn.Conv2d(COARSE, 1, 1, bias=False)
        self.cause = nn.Linear(2 * COARSE + MIDDLE, 1)
        self.adult = nn.Linear(MIDDLE, 1)
        nn.init.constant_(self.cell.bias, -0.5)  # type: ignore[arg-type]
        for layer in (self.cell, self.coarse_cell):
            nn.init.normal_(layer.weight, std=0.02)

    def forward(self, crops: Tensor) -> Evidence:
        """Read lung crops or films ``(B, 1, S, S)`` in ``[0, 1]``; S is a multiple of 32."""
        fine, middle, coarse = self.body(standardise(crops, spread=0.5))
        cells = self._cells(fine, middle, coarse)  # (B, 1, h, w)
        flat = cells.flatten(1)
        weights = torch.softmax(self.sharpness * flat, dim=1).view_as(cells)
        where = functional.avg_pool2d(weights, 4) * 16  # (B, 1, h/4, w/4), 1 in all
        average = middle.mean(dim=(2, 3))
        seen = torch.cat(
            [coarse.mean(dim=(2, 3)), (coarse * where).sum(dim=(2, 3)), average], dim=1
        )
        return Evidence(
            cells=cells[:, 0],
            weights=weights[:, 0],
            log_odds=(weights.flatten(1) * flat).sum(dim=1),
            cause=self.cause(functional.dropout(seen, 0.2, self.training))[:, 0],
            adult=self.adult(average.detach())[:, 0],
        )

    def _cells(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        """Join three grids of features to one of evidence, ``(B, 1, h, w)``."""
        levels = [
            layer(level) for layer, level in zip(self.lateral, (fine, middle, coarse), strict=True)
        ]
        joined = self.smooth[0](functional.relu6(levels[1] + double(levels[2])))
        joined = self.smooth[1](functional.relu6(levels[0] + double(joined)))
        coarse_cells = double(double(self.coarse_cell(self.dropout(coarse))))
        cells: Tensor = self.cell(self.dropout(joined)) + coarse_cells
        return cells


def _smoothing(width: int) -> nn.Sequential:
    """Build a depthwise and a pointwise convolution."""
    return nn.Sequential(convolution(width, width, 3, groups=width), convolution(width, width, 1))
