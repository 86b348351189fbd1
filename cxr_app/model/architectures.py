"""Names of the networks, for code that needs no network: importing this does not import torch."""

from collections.abc import Mapping
from typing import Literal

BASELINES = (
    "five_conv_relu",
    "five_conv_swish",
    "four_conv",
    "four_conv_256",
    "vgg19_transfer",
    "separable_conv",
)
"""Networks of other programs, which do not distinguish causes."""
ARCHITECTURES = (
    "crop_and_film",
    "lung_crop",
    "resnet18",
    "resnet18_coarse",
    "resnet18_two_scales",
    *BASELINES,
)

Part = Literal["crop", "film"]
"""What a pneumonia network reads of a film: the crop of the lungs, or all of it."""

PARTS_READ: Mapping[str, tuple[Part, ...]] = {
    "crop_and_film": ("crop", "film"),
    "lung_crop": ("crop", "crop"),
}
"""What each pneumonia network of an architecture reads that looks for the lungs first."""

_MEMBERS: Mapping[str, tuple[str, ...]] = {"resnet18_two_scales": ("resnet18", "resnet18_coarse")}


def predicts_causes(architecture: str) -> bool:
    """Return whether networks of this name distinguish causes."""
    return architecture not in BASELINES


def copies(architecture: str) -> int:
    """Return how many networks of one kind a recipe trains, from seeds of their own."""
    return len(PARTS_READ[architecture]) if architecture in PARTS_READ else 1


def members(architecture: str) -> tuple[str, ...]:
    """Return the separately trained networks that one is joined from; itself if it is whole."""
    return _MEMBERS.get(architecture, (architecture,))
