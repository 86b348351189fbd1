"""EfficientNet-Lite0 on one grey channel, without its last layers: films to features on grids."""

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Expansion, kernel, stride, channels and repeats of each stage (Tan and Le 2019, table 1)."""
STEM = 32
FINE, MIDDLE, COARSE = 40, 112, 320
"""Channels at strides 8, 16 and 32."""
_OUTPUTS = (4, 10, 15)
"""Blocks whose outputs these are."""


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": an odd pixel is padded at the end."""

    def forward(self, x: Tensor) -> Tensor:
        """Pad, then convolve."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return functional.conv2d(x, self.weight, padding=kernel // 2, groups=self.groups)
        pads: list[int] = []
        for side in (x.shape[-1], x.shape[-2]):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        padded = functional.pad(x, pads)
        return functional.conv2d(padded, self.weight, stride=stride, groups=self.groups)


def convolution(
    before: int, after: int, kernel: int, *, stride: int = 1, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Build a convolution with batch normalisation and, if `active`, ReLU6."""
    layers: list[nn.Module] = [
        SameConv(before, after, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(after, eps=1e-3, momentum=0.01),
    ]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if active else []))


class Block(nn.Module):
    """Inverted residual: widen, filter by place, narrow (Sandler et al. 2018)."""

    def __init__(self, before: int, after: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = before * expansion
        self.expand = convolution(before, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = convolution(wide, wide, kernel, stride=stride, groups=wide)
        self.project = convolution(wide, after, 1, active=False)
        self.adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        """Filter; the input is added where the shapes allow."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Liu 2020): no squeeze-and-excitation, ReLU6 throughout.

    Weights of ImageNet fit it once the three input channels of the stem are summed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(1, STEM, 3, stride=2)
        blocks: list[nn.Module] = []
        before = STEM
        for expansion, kernel, stride, channels, repeats in STAGES:
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                blocks.append(Block(before, channels, expansion, kernel, first))
                before = channels
        self.blocks = nn.ModuleList(blocks)
        self.frozen = 0
        """How many of the first blocks, and the stem, do not learn."""

    def freeze(self, blocks: int) -> None:
        """Keep the stem and the first blocks as they are, normalisation included."""
        self.frozen = blocks
        for part in self._frozen_parts():
            part.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> "EfficientNetLite0":
        """Set the mode of everything that is not frozen."""
        super().train(mode)
        for part in self._frozen_parts():
            part.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return features ``(B, 40, h, w)``, ``(B, 112, h/2, w/2)`` and ``(B, 320, h/4, w/4)``."""
        x = self.stem(x)
        outputs: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _OUTPUTS:
                outputs.append(x)
        fine, middle, coarse = outputs
        return fine, middle, coarse

    def _frozen_parts(self) -> list[nn.Module]:
        return [self.stem, *self.blocks[: self.frozen]] if self.frozen else []


def double(x: Tensor) -> Tensor:
    """Resize a grid to twice its sides; its mean stays the same."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def standardise(films: Tensor, spread: float = 1.0) -> Tensor:
    """Scale each film ``(B, 1, H, W)`` to the mean 0 and a standard deviation of `spread`."""
    mean = films.mean(dim=(2, 3), keepdim=True)
    deviation = films.std(dim=(2, 3), keepdim=True).clamp_min(0.02)
    return torch.mul(films - mean, spread) / deviation
