"""The networks by name: features on a grid, then logits.

A network that averages its features over the grid and ends in one linear layer tells where it
looked in the same forward pass (Zhou et al. 2016); `GlobalAveragePoolingNetwork` is that kind.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torchvision.models import resnet18

from cxr_app.errors import CheckpointMismatchError

CLASSES = ("normal", "bacterial", "viral")
"""Order of the logits."""


class GlobalAveragePoolingNetwork(nn.Module):
    """A convolutional body, the mean over its grid, and one linear layer.

    Parameters
    ----------
    body
        Grey films ``(B, 1, H, W)`` to features ``(B, K, h, w)``.
    channels
        K.
    spacing
        Pixels of the input from the middle of one cell of the grid to the next.
    first
        The middle of the first cell, in pixels from the input's edge. A convolution of stride 2
        with symmetric padding centres its first output on the first pixel, so for most networks
        this is half a pixel and *not* half a cell.
    """

    def __init__(self, body: nn.Module, channels: int, spacing: float, first: float) -> None:
        super().__init__()
        self.body = body
        self.spacing = spacing
        self.first = first
        self.linear = nn.Linear(channels, len(CLASSES))

    def features(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into features ``(B, K, h, w)``."""
        features: Tensor = self.body(batch)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """Turn features ``(B, K, h, w)`` into logits ``(B, 3)`` in the order of `CLASSES`."""
        logits: Tensor = self.linear(features.mean(dim=(2, 3)))  # (B, K) -> (B, 3)
        return logits

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into logits ``(B, 3)``."""
        return self.classify(self.features(batch))


def _resnet18() -> GlobalAveragePoolingNetwork:
    """Build ResNet-18 (He et al. 2016) with one grey channel, 11.2 million weights."""
    whole = resnet18(weights=None)
    whole.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    body = nn.Sequential()
    for name, stage in whole.named_children():
        if name not in {"avgpool", "fc"}:
            body.add_module(name, stage)
    return GlobalAveragePoolingNetwork(body, channels=512, spacing=32.0, first=0.5)


NETWORKS: dict[str, Callable[[], GlobalAveragePoolingNetwork]] = {"resnet18": _resnet18}


def build(architecture: str) -> GlobalAveragePoolingNetwork:
    """Build a network with random weights.

    Raises
    ------
    CheckpointMismatchError
        If no network has this name.
    """
    if architecture not in NETWORKS:
        raise CheckpointMismatchError(
            f"The architecture is {architecture!r}; this program knows {', '.join(NETWORKS)}. "
            "Use a checkpoint or recipe of one of these."
        )
    return NETWORKS[architecture]()
