"""The networks by name: ours and its ancestors."""

from collections.abc import Callable

from torch import nn
from torchvision.models import resnet18

from cxr_app import ancestors
from cxr_app.errors import CheckpointMismatchError
from cxr_app.grid_network import CLASSES, GlobalAveragePoolingNetwork, GridNetwork

__all__ = [
    "CLASSES",
    "NETWORKS",
    "GlobalAveragePoolingNetwork",
    "GridNetwork",
    "build",
    "tells_causes",
]


def _resnet18() -> GlobalAveragePoolingNetwork:
    """Build ResNet-18 (He et al. 2016) with one grey channel, 11.2 million weights."""
    whole = resnet18(weights=None)
    whole.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    body = nn.Sequential()
    for name, stage in whole.named_children():
        if name not in {"avgpool", "fc"}:
            body.add_module(name, stage)
    return GlobalAveragePoolingNetwork(body, channels=512, spacing=32.0, first=0.5)


NETWORKS: dict[str, Callable[[], GridNetwork]] = {"resnet18": _resnet18, **ancestors.NETWORKS}


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
