"""A network that sees a film twice: fine, and at half the size.

Each of its two bodies learns for itself, and the mean of what they say is the answer. Both lie on
one grid, so that the answer is still the mean over its cells.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_app.grid_network import GlobalAveragePoolingNetwork


class TwoScaleNetwork(GlobalAveragePoolingNetwork):
    """Two convolutional bodies, the mean over their common grid, and one linear layer.

    Parameters
    ----------
    fine, coarse
        Films to features; a cell of either is `spacing` of its own pixels from the next.
    channels
        Of the features of each.
    spacing, first
        Of the fine body, as of any `GridNetwork`.
    """

    def __init__(
        self,
        fine: nn.Module,
        coarse: nn.Module,
        channels: tuple[int, int],
        spacing: float,
        first: float,
    ) -> None:
        super().__init__(TwoScaleBody(fine, coarse), sum(channels), spacing, first)
        self._channels = list(channels)

    @property
    def bodies(self) -> Mapping[str, nn.Module]:
        """The fine body and the coarse one."""
        return {f"body.{name}": body for name, body in self.body.named_children()}

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into logits ``(B, 3)``.

        While it learns, into ``(2 B, 3)``: those of the fine body, then those of the coarse one.
        """
        if not self.training:
            return super().forward(batch)
        means = torch.split(self.features(batch).mean(dim=(2, 3)), self._channels, dim=1)
        weights = torch.split(self.linear.weight, self._channels, dim=1)
        # Features come halved, so that the sum over both bodies is the mean of what they say.
        said = [
            functional.linear(2 * mean, weight, self.linear.bias)
            for mean, weight in zip(means, weights, strict=True)
        ]
        return torch.cat(said)


class TwoScaleBody(nn.Module):
    """The bodies of a `TwoScaleNetwork`, side by side."""

    def __init__(self, fine: nn.Module, coarse: nn.Module) -> None:
        super().__init__()
        self.fine = fine
        self.coarse = coarse

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films ``(B, 1, H, W)`` into features of both, on the grid of the fine body.

        A film of 64 n + 1 pixels keeps every other pixel's middle where it is, and the coarse
        cells lie on every other fine cell.
        """
        fine: Tensor = self.fine(batch)
        half = functional.avg_pool2d(batch, 3, stride=2, padding=1, count_include_pad=False)
        coarse = functional.interpolate(
            self.coarse(half), size=fine.shape[-2:], mode="bilinear", align_corners=True
        )
        return torch.cat([fine, coarse], dim=1) / 2
