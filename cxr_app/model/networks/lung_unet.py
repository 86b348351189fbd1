"""The lung network: a small U-Net that draws both lungs on a film resized to a square.

Ronneberger et al. 2015, at 96 x 96 pixels and with 0.2 million weights.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.model.networks.efficientnet_lite import standardise

LUNG_SIDE = 96
"""Side of the film that it sees and of the outline that it draws, in pixels."""
WIDTHS = (16, 32, 64)


class LungNetwork(nn.Module):
    """Films ``(B, 1, 96, 96)`` in ``[0, 1]`` to the logit of *lung* for each pixel, same shape.

    Four neighbouring pixels go in as four channels and come out so, which saves three quarters of
    the work of the first and last layers.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        before = (4, *widths)
        self.down = nn.ModuleList(
            [_convolutions(b, a, repeats=2) for b, a in zip(before, widths, strict=False)]
        )
        self.up = nn.ModuleList([_convolutions(b + a, a) for a, b in pairwise(widths)])
        self.last = nn.Conv2d(widths[0], 4, 1)

    def forward(self, films: Tensor) -> Tensor:
        """Standardise each film by its own mean and spread, then draw."""
        x = functional.pixel_unshuffle(standardise(films), 2)
        held: list[Tensor] = []
        for index, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if index else x)
            held.append(x)
        for index in reversed(range(len(self.up))):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.up[index](torch.cat([x, held[index]], dim=1))
        return functional.pixel_shuffle(self.last(x), 2)


def _convolutions(before: int, after: int, repeats: int = 1) -> nn.Sequential:
    """Build 3 x 3 convolutions with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for index in range(repeats):
        channels = after if index else before
        layers += [
            nn.Conv2d(channels, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)
