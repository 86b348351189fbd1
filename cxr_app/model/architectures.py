"""Names of the networks, for code that needs no network: importing this does not import torch."""

from collections.abc import Mapping

BASELINES = (
    "five_conv_relu",
    "five_conv_swish",
    "four_conv",
    "four_conv_256",
    "vgg19_transfer",
    "separable_conv",
)
"""Networks of other programs, which do not distinguish causes."""
ARCHITECTURES = ("lung_crop", "resnet18", "resnet18_coarse", "resnet18_two_scales", *BASELINES)

_MEMBERS: Mapping[str, tuple[str, ...]] = {"resnet18_two_scales": ("resnet18", "resnet18_coarse")}

_COPIES: Mapping[str, int] = {"lung_crop": 2}


def predicts_causes(architecture: str) -> bool:
    """Return whether networks of this name distinguish causes."""
    return architecture not in BASELINES


def copies(architecture: str) -> int:
    """Return how many networks of one architecture a recipe trains, from seeds of their own."""
    return _COPIES.get(architecture, 1)


def members(architecture: str) -> tuple[str, ...]:
    """Return the separately trained networks that one is joined from; itself if it is whole."""
    return _MEMBERS.get(architecture, (architecture,))
