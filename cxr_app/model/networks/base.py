"""A network as the rest of the program knows it: films to features on a grid, then to logits.

Every network divides the film into cells. The evidence of a cell is drawn on the film (see
`evidence.resample_evenly`), so a network also declares where its cells lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cxr_app.model.classes import BINARY_CLASSES, CLASSES


class GridNetwork(nn.Module, ABC):
    """A convolutional body, and whatever makes logits of its features.

    Parameters
    ----------
    body
        Films to features ``(B, K, h, w)``.
    spacing
        Pixels of the input from the middle of one cell of the grid to the next.
    first
        The middle of the first cell, in pixels from the input's edge. A convolution of stride 2
        with symmetric padding centres its first output on the first pixel, so for most networks
        this is half a pixel and *not* half a cell.
    """

    classes: tuple[str, ...] = CLASSES
    size: int | None = None
    """The one side of a film in pixels that its head fits; None where any does."""
    map_is_log_odds: bool = False
    """Whether each cell of its map is a log-odds by itself, and not a share of the film's."""

    def __init__(self, body: nn.Module, spacing: float, first: float) -> None:
        super().__init__()
        self.body = body
        self.spacing = spacing
        self.first = first

    @property
    def bodies(self) -> Mapping[str, nn.Module]:
        """Its convolutions from film to features, by the name of their weights."""
        return {"body": self.body}

    def features(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into features ``(B, K, h, w)``."""
        features: Tensor = self.body(batch)
        return features

    @abstractmethod
    def classify(self, features: Tensor) -> Tensor:
        """Turn features ``(B, K, h, w)`` into logits, one for each of `classes`."""

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into logits, one for each of `classes`."""
        return self.classify(self.features(batch))

    def own_targets(self, targets: Tensor) -> Tensor:
        """Map indices in `CLASSES` to this network's classes: it may know no causes.

        An index after the last means pneumonia of any cause; a network that knows causes keeps it.
        """
        return targets.clamp(max=len(CLASSES) if len(self.classes) == len(CLASSES) else 1)


class GlobalAveragePoolingNetwork(GridNetwork):
    """A convolutional body, the mean over its grid, and one linear layer.

    Such a network localises its evidence in the same forward pass (Zhou et al. 2016).

    Parameters
    ----------
    body, spacing, first
        As of any `GridNetwork`.
    channels
        K.
    """

    def __init__(self, body: nn.Module, channels: int, spacing: float, first: float) -> None:
        super().__init__(body, spacing, first)
        self.linear = nn.Linear(channels, len(CLASSES))

    def classify(self, features: Tensor) -> Tensor:
        """Turn features ``(B, K, h, w)`` into logits ``(B, 3)`` in the order of `CLASSES`."""
        logits: Tensor = self.linear(features.mean(dim=(2, 3)))  # (B, K) -> (B, 3)
        return logits


class BinaryNetwork(GridNetwork):
    """A convolutional body and a head with one sigmoid output: pneumonia or not.

    Parameters
    ----------
    body
        Films of as many channels as its first convolution reads; a grey film is repeated in each.
    head
        Features to one logit, ``(B, K, h, w) -> (B, 1)``.
    size
        The side of a film in pixels that the head fits.
    """

    classes = BINARY_CLASSES

    def __init__(self, body: nn.Sequential, head: nn.Sequential, size: int) -> None:
        super().__init__(body, *place_of_cells(body))
        self.head = head
        self.size = size
        self.channels = next(m.in_channels for m in body.modules() if isinstance(m, nn.Conv2d))

    def features(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into features ``(B, K, h, w)``."""
        return super().features(batch.expand(-1, self.channels, -1, -1))

    def classify(self, features: Tensor) -> Tensor:
        """Turn features into logits ``(B, 2)``, the first always 0.

        The softmax of ``(0, x)`` is the sigmoid of ``x``, and its cross-entropy the binary one, so
        one output serves wherever the logits of classes are wanted.
        """
        logit: Tensor = self.head(features)  # (B, 1)
        return torch.cat([torch.zeros_like(logit), logit], dim=1)


def place_of_cells(body: nn.Module) -> tuple[float, float]:
    """Work out spacing and first middle of a body's cells from its strides and paddings.

    Parameters
    ----------
    body
        Convolutions and poolings one after the other.
    """
    spacing, first = 1.0, 0.5
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel, stride, padding = (
                _side(value) for value in (layer.kernel_size, layer.stride, layer.padding)
            )
            first += ((kernel - 1) / 2 - padding) * spacing
            spacing *= stride
    return spacing, first


def _side(value: int | str | tuple[int, ...]) -> int:
    """Return the single value of a square kernel, stride or padding."""
    return int(value[0] if isinstance(value, tuple) else value)
