"""The networks by name: ours and its ancestors."""

from collections.abc import Callable

from torch import nn
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from cxr_app import ancestors
from cxr_app.errors import CheckpointMismatchError
from cxr_app.grid_network import CLASSES, GlobalAveragePoolingNetwork, GridNetwork
from cxr_app.two_scale_network import TwoScaleNetwork

__all__ = [
    "CLASSES",
    "NETWORKS",
    "GlobalAveragePoolingNetwork",
    "GridNetwork",
    "build",
    "tells_causes",
]


def _resnet18() -> GlobalAveragePoolingNetwork:
    """Build ResNet-18 (He et al. 2016) with one grey channel, 11.2 million weights.

    It is torchvision's, so that a seed goes on giving the first weights that it always gave.
    """
    whole = resnet18(weights=None)
    whole.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    body = nn.Sequential()
    for name, stage in whole.named_children():
        if name not in {"avgpool", "fc"}:
            body.add_module(name, stage)
    return GlobalAveragePoolingNetwork(body, channels=512, spacing=32.0, first=0.5)


def _resnet18_two_scales() -> TwoScaleNetwork:
    """Build ResNet-18 and, for the film at half the size, one of half its width beside it."""
    bodies = _residual_body(64), _residual_body(32)
    return TwoScaleNetwork(*bodies, channels=(512, 256), spacing=32.0, first=0.5)


def _residual_body(width: int) -> nn.Sequential:
    """Build the convolutions of ResNet-18 for one grey channel in any width.

    Parameters
    ----------
    width
        Channels of its first stage; each later one has twice as many, the last eight times.
    """
    body = nn.Sequential()
    body.add_module("conv1", nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False))
    body.add_module("bn1", nn.BatchNorm2d(width))
    body.add_module("relu", nn.ReLU(inplace=True))
    body.add_module("maxpool", nn.MaxPool2d(3, stride=2, padding=1))
    for stage in range(4):
        channels, filters = width * 2 ** max(stage - 1, 0), width * 2**stage
        blocks = _block(channels, filters), _block(filters, filters)
        body.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return body


def _block(channels: int, filters: int) -> BasicBlock:
    """Build two convolutions and a way past them; with more filters the grid gets half as fine."""
    if channels == filters:
        return BasicBlock(channels, filters)
    past = nn.Sequential(
        nn.Conv2d(channels, filters, 1, stride=2, bias=False), nn.BatchNorm2d(filters)
    )
    return BasicBlock(channels, filters, stride=2, downsample=past)


NETWORKS: dict[str, Callable[[], GridNetwork]] = {
    "resnet18": _resnet18,
    "resnet18_two_scales": _resnet18_two_scales,
    **ancestors.NETWORKS,
}


def tells_causes(architecture: str) -> bool:
    """Tell whether networks of this name say bacterial or viral; the ancestors do not."""
    return architecture not in ancestors.NETWORKS


def build(architecture: str) -> GridNetwork:
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
