"""What a picture shows: a chest film as it should lie, one that does not, or something else.

A small network beside the one for pneumonia recognises it. It learns from child and adult films,
and from pictures that are no chest film (`training.train_screening`), so that it knows the chest in
general and not the patients of one hospital.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.model.screening import ViewClass

VIEWS = tuple(ViewClass)
_MIRROR_IMAGE = {
    ViewClass.UPRIGHT: ViewClass.MIRRORED,
    ViewClass.MIRRORED: ViewClass.UPRIGHT,
    ViewClass.TURNED_LEFT: ViewClass.TURNED_RIGHT,
    ViewClass.UPSIDE_DOWN: ViewClass.UPSIDE_DOWN,
    ViewClass.TURNED_RIGHT: ViewClass.TURNED_LEFT,
    ViewClass.NEGATIVE: ViewClass.NEGATIVE,
    ViewClass.OTHER: ViewClass.OTHER,
}
_SWAPPED = [VIEWS.index(_MIRROR_IMAGE[view]) for view in VIEWS]
_WIDTHS = (24, 48, 96, 128)


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What is needed beside the weights; it travels with them.

    Parameters
    ----------
    size
        Side of the network's input in pixels.
    mean, standard_deviation
        Of the grey values that it learned from.
    least_frontal
        Log-odds of a frontal film (upright or mirrored) below which a picture is refused.
    least_mirrored
        Log-odds of mirrored against upright from which a film is remarked on.
    metrics, data_summary
        What was measured, and on what.
    """

    size: int
    mean: float
    standard_deviation: float
    least_frontal: float
    least_mirrored: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_summary: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.size < 16 or not self.standard_deviation > 0:
            raise ValueError(f"size {self.size} or deviation {self.standard_deviation} is too low")
        if not (math.isfinite(self.least_frontal) and math.isfinite(self.least_mirrored)):
            raise ValueError("the thresholds must be finite numbers")


class ViewNetwork(nn.Module):
    """Four stages of plain convolutions and one linear layer: 0.4 million weights."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_layer(1, _WIDTHS[0], kernel=7, stride=3)]
        for before, after in pairwise(_WIDTHS):
            layers += [*_layer(before, after, stride=2), *_layer(after, after)]
        self.body = nn.Sequential(*layers)
        self.linear = nn.Linear(_WIDTHS[-1], len(VIEWS))

    def forward(self, batch: Tensor) -> Tensor:
        """Turn normalised pictures ``(B, 1, H, W)`` into logits ``(B, 7)``."""
        features: Tensor = self.body(batch)  # (B, 128, h, w)
        logits: Tensor = self.linear(features.mean(dim=(2, 3)))
        return logits


def view_logits(network: ViewNetwork, pictures: Tensor, spec: ViewSpec) -> Tensor:
    """Compute the mean of the logits of pictures and of their mirror images.

    Parameters
    ----------
    pictures
        Grey values in ``[0, 1]``, ``(B, 1, H, W)``, of any size.

    Returns
    -------
    Tensor
        ``(B, 7)`` on the CPU, in the order of `VIEWS`.
    """
    small = functional.interpolate(
        pictures, (spec.size, spec.size), mode="bilinear", antialias=True, align_corners=False
    )
    seen = (small - spec.mean) / spec.standard_deviation
    logits: Tensor = network(torch.cat([seen, seen.flip(3)])).float()
    return ((logits[: len(seen)] + logits[len(seen) :][:, _SWAPPED]) / 2).cpu()


def frontal_log_odds(logits: Tensor) -> Tensor:
    """Log-odds of a frontal film, upright or mirrored, ``(B, 7) -> (B,)``."""
    return torch.logsumexp(logits[:, :2], dim=1) - torch.logsumexp(logits[:, 2:], dim=1)


def mirrored_log_odds(logits: Tensor) -> Tensor:
    """Log-odds of a mirrored film against an upright one, ``(B, 7) -> (B,)``."""
    return logits[:, 1] - logits[:, 0]


def views_of(logits: Tensor, spec: ViewSpec) -> list[ViewClass]:
    """Decide what pictures show, by the thresholds that were chosen for these weights."""
    refused = frontal_log_odds(logits) < spec.least_frontal
    mirrored = mirrored_log_odds(logits) >= spec.least_mirrored
    likeliest = 2 + logits[:, 2:].argmax(dim=1)
    index = torch.where(refused, likeliest, mirrored.long())
    return [VIEWS[place] for place in index.tolist()]


def _layer(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """Convolve, normalise, rectify."""
    padding = kernel // 2
    return [
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]
