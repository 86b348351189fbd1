"""Small, real checkpoints: random weights, everything else as training writes it."""

from pathlib import Path

import torch

from cxr_app.model import checkpoint, networks
from cxr_app.model.classes import CLASSES
from cxr_app.model.description import Description
from cxr_app.model.preprocessing import InputSpec
from cxr_app.prediction import HeatScale, OperatingPoint

SIZE = 64


def describe(
    size: int = SIZE,
    threshold: float = 0.5,
    architecture: str = "resnet18",
    classes: tuple[str, ...] = CLASSES,
) -> Description:
    """A description with every field that a checkpoint must have."""
    return Description(
        name="tiny",
        architecture=architecture,
        classes=classes,
        input_spec=InputSpec(size=size, mean=0.48, standard_deviation=0.22),
        temperature=1.3,
        operating_points={
            "balanced": OperatingPoint("balanced", threshold, 0.95, 0.9),
            "high_sensitivity": OperatingPoint("high_sensitivity", threshold / 2, 0.99, 0.7),
        },
        heat_scale=HeatScale(0.0, 2.0),
        training_config={"seed": 0},
    )


def write_tiny(path: Path, seed: int = 0, threshold: float = 0.5) -> Path:
    """Write a checkpoint of random weights; the same seed gives the same file."""
    torch.manual_seed(seed)
    weights = checkpoint.rounded(networks.build("resnet18"))
    checkpoint.save(path, weights, describe(threshold=threshold))
    return path


def write_ancestor(path: Path, architecture: str) -> Path:
    """Write a checkpoint of random weights for a network that knows one size and no causes."""
    torch.manual_seed(0)
    ancestor = networks.build(architecture)
    description = describe(ancestor.size or SIZE, 0.5, architecture, ancestor.classes)
    checkpoint.save(path, checkpoint.rounded(ancestor), description)
    return path
