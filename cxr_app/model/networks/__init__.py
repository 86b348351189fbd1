"""The networks by name: ours and its ancestors."""

from collections.abc import Callable, Sequence
from functools import partial

from torch import nn
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from cxr_app.errors import CheckpointMismatchError
from cxr_app.model.architectures import PARTS_READ, members
from cxr_app.model.classes import CLASSES
from cxr_app.model.networks import baselines
from cxr_app.model.networks.base import GlobalAveragePoolingNetwork, GridNetwork
from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.model.networks.two_scale import BetweenCells, TwoScaleNetwork, half_size

__all__ = [
    "CLASSES",
    "NETWORKS",
    "GlobalAveragePoolingNetwork",
    "GridNetwork",
    "LungCropNetwork",
    "build",
    "join",
    "members",
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


def _resnet18_coarse() -> GlobalAveragePoolingNetwork:
    """Build a ResNet-18 of half the width that sees the film at half the size.

    Its cells lie 64 pixels apart; with those between them they lie on the grid of `_resnet18`.
    """
    width = 32  # of the first stage; torchvision's is 64 and cannot be had in another
    body = nn.Sequential()
    body.add_module("shrink", half_size())
    body.add_module("conv1", nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False))
    body.add_module("bn1", nn.BatchNorm2d(width))
    body.add_module("relu", nn.ReLU(inplace=True))
    body.add_module("maxpool", nn.MaxPool2d(3, stride=2, padding=1))
    for stage in range(4):
        channels, filters = width * 2 ** max(stage - 1, 0), width * 2**stage
        blocks = _block(channels, filters), _block(filters, filters)
        body.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
    body.add_module("between", BetweenCells())
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return GlobalAveragePoolingNetwork(body, channels=8 * width, spacing=32.0, first=0.5)


def _resnet18_two_scales() -> TwoScaleNetwork:
    """Build the two networks above as one."""
    return TwoScaleNetwork(_resnet18(), _resnet18_coarse())


def _block(channels: int, filters: int) -> BasicBlock:
    """Build a residual block; with more filters, its grid is half as fine."""
    if channels == filters:
        return BasicBlock(channels, filters)
    shortcut = nn.Sequential(
        nn.Conv2d(channels, filters, 1, stride=2, bias=False), nn.BatchNorm2d(filters)
    )
    return BasicBlock(channels, filters, stride=2, downsample=shortcut)


NETWORKS: dict[str, Callable[[], GridNetwork]] = {
    **{name: partial(LungCropNetwork, parts) for name, parts in PARTS_READ.items()},
    "resnet18": _resnet18,
    "resnet18_coarse": _resnet18_coarse,
    "resnet18_two_scales": _resnet18_two_scales,
    **baselines.NETWORKS,
}


def join(networks: Sequence[GridNetwork]) -> GridNetwork:
    """Make one network of its trained members, in the order of `members`."""
    match networks:
        case [GlobalAveragePoolingNetwork() as fine, GlobalAveragePoolingNetwork() as coarse]:
            return TwoScaleNetwork(fine, coarse)
        case [whole]:
            return whole
    raise ValueError(f"no network joins {len(networks)} of these")


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
