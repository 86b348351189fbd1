"""Two networks in one that see a film at two sizes: fine, and at half the size.

Each is trained by itself. Their cells lie on one grid, so that the mean of what they say is again
the mean over cells, and the heatmap comes in the same pass.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.model.networks.base import GlobalAveragePoolingNetwork


class TwoScaleNetwork(GlobalAveragePoolingNetwork):
    """The mean of two networks.

    Parameters
    ----------
    fine
        Whose grid it is.
    coarse
        One that begins with `half_size` and ends with `BetweenCells`.
    """

    def __init__(
        self, fine: GlobalAveragePoolingNetwork, coarse: GlobalAveragePoolingNetwork
    ) -> None:
        weight = torch.cat([fine.linear.weight, coarse.linear.weight], dim=1)
        body = TwoScaleBody(fine.body, coarse.body)
        super().__init__(body, weight.shape[1], fine.spacing, fine.first)
        with torch.no_grad():
            self.linear.weight.copy_(weight)
            self.linear.bias.copy_((fine.linear.bias + coarse.linear.bias) / 2)

    @property
    def bodies(self) -> Mapping[str, nn.Module]:
        """The fine one and the coarse one."""
        return {f"body.{name}": body for name, body in self.body.named_children()}


class TwoScaleBody(nn.Module):
    """The bodies of a `TwoScaleNetwork`, side by side."""

    def __init__(self, fine: nn.Module, coarse: nn.Module) -> None:
        super().__init__()
        self.fine = fine
        self.coarse = coarse

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into features of both, on the grid of the fine body.

        They are halved, so that the sum over both networks is their mean.
        """
        fine: Tensor = self.fine(batch)
        coarse = _onto_grid(self.coarse(batch), fine.shape[-2:])
        return torch.cat([fine, coarse], dim=1) / 2


def half_size() -> nn.Module:
    """Make the layer that halves a film; of 64 n + 1 pixels every other keeps its middle."""
    return nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)


class BetweenCells(nn.Module):
    """Puts one more cell between each two of a grid."""

    def forward(self, features: Tensor) -> Tensor:
        """Turn features ``(B, K, h, w)`` into ``(B, K, 2 h - 1, 2 w - 1)``."""
        height, width = features.shape[-2:]
        return _onto_grid(features, (2 * height - 1, 2 * width - 1))


def _onto_grid(features: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Interpolate features so that the outermost cells stay where they are."""
    return functional.interpolate(features, size=size, mode="bilinear", align_corners=True)
