"""Weights and everything needed to use them, in one ``.safetensors`` file; never a pickle.

The description travels as JSON in the file's metadata. A threshold belongs to the weights it
was chosen for, so both live here and nowhere else.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, field, replace
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import CheckpointMismatchError, CheckpointNotFoundError
from cxr_app.model.networks.base import BINARY_CLASSES, CLASSES
from cxr_app.model.networks.view import ViewSpec
from cxr_app.model.preprocessing import InputSpec
from cxr_app.prediction import HeatScale, OperatingPoint

FORMAT_VERSION = 1
SCREENING_PREFIX = "screening."
"""Prefix of the weights of the view network within a checkpoint."""


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", strict=True))
class Description:
    """Description of a checkpoint, stored in its file.

    Parameters
    ----------
    name
        The recipe it was trained by.
    architecture
        A name that `network.build` knows.
    input_spec
        How a film becomes the network's input.
    temperature
        Divides the logits before the softmax (Guo et al. 2017).
    operating_points
        By name: ``balanced`` and ``high_sensitivity``.
    heat_scale
        The scale of every heatmap of these weights.
    classes
        Order of the logits.
    training_config, metrics, data_summary
        How it was made, what it measured, and on what.
    git_commit
        Of the program that trained it; empty outside a repository.
    screening
        How to use the weights of the view network; None for a checkpoint without them.
    ages
        Of the patients that it learned from and was measured on, in completed years.
    prevalence
        Share of pneumonia that its probabilities are made for; None if that is not stated.
    """

    name: str
    architecture: str
    input_spec: InputSpec
    temperature: float
    operating_points: Mapping[str, OperatingPoint]
    heat_scale: HeatScale
    classes: tuple[str, ...] = CLASSES
    training_config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_summary: Mapping[str, Any] = field(default_factory=dict)
    git_commit: str = ""
    screening: ViewSpec | None = None
    ages: tuple[tuple[int, int], ...] = ((1, 5),)
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None


_DESCRIPTION = TypeAdapter(Description)


@plain_dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint file that was read and checked.

    Parameters
    ----------
    description
        As stored in the file.
    weights
        By name, as stored.
    sha256
        Of the whole file, 64 hexadecimal digits.
    screening_weights
        Of the view network; empty if there is none.
    site_prevalence
        Shares of pneumonia that the file's probabilities and, here, the site's are made for; None
        if they are those of the file.
    """

    description: Description
    weights: Mapping[str, Tensor]
    sha256: str
    screening_weights: Mapping[str, Tensor] = field(default_factory=dict)
    site_prevalence: tuple[float, float] | None = None

    @property
    def file_version(self) -> str:
        """The recipe's name and the first digits of the file's SHA-256."""
        return f"{self.description.name}-{self.sha256[:8]}"

    @property
    def model_version(self) -> str:
        """The file's version, and the site's share of pneumonia if it has set one."""
        if self.site_prevalence is None:
            return self.file_version
        return f"{self.file_version}-p{self.site_prevalence[1]:g}"


def rounded(network: nn.Module) -> dict[str, Tensor]:
    """Copy the weights as they are stored: matrices in half precision, the rest as they are.

    Half precision halves the file; normalisation statistics keep their range.
    """
    return {
        name: (tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor)
        .detach()
        .cpu()
        .contiguous()
        for name, tensor in network.state_dict().items()
    }


def save(path: Path, weights: Mapping[str, Tensor], description: Description) -> str:
    """Write a checkpoint at once or not at all, and return its SHA-256."""
    document = asdict(description) | {"format_version": FORMAT_VERSION}
    return _write(path, weights, {"description": json.dumps(document, sort_keys=True)})


def save_screening(path: Path, weights: Mapping[str, Tensor], spec: ViewSpec) -> str:
    """Write the view network alone, and return the file's SHA-256."""
    return _write(path, weights, {"screening": json.dumps(asdict(spec), sort_keys=True)})


def _write(path: Path, weights: Mapping[str, Tensor], metadata: dict[str, str]) -> str:
    content = save_tensors(dict(weights), metadata=metadata)
    atomic_write(path, content)
    return hashlib.sha256(content).hexdigest()


def with_screening(
    weights: Mapping[str, Tensor], description: Description, path: Path
) -> tuple[dict[str, Tensor], Description]:
    """Add the network of `save_screening` to weights and their description, ready for `save`.

    Raises
    ------
    CheckpointError
        If the file cannot be used.
    """
    content, tensors = _read(path)
    try:
        spec = ViewSpec(**json.loads(_metadata(content)["screening"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointMismatchError(
            f"{path.name} is no screening network ({error!r}). "
            "Use a file that training.train_screening made."
        ) from error
    added = {SCREENING_PREFIX + name: tensor for name, tensor in tensors.items()}
    return {**weights, **added}, replace(description, screening=spec)


def load(path: Path) -> Checkpoint:
    """Read and check a checkpoint.

    Raises
    ------
    CheckpointNotFoundError
        If there is no such file.
    CheckpointMismatchError
        If the file is damaged, of another format version, or for other classes.
    """
    content, tensors = _read(path)
    screening = {
        name.removeprefix(SCREENING_PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(SCREENING_PREFIX)
    }
    weights = {n: tensor for n, tensor in tensors.items() if not n.startswith(SCREENING_PREFIX)}
    description = _describe(content, path.name)
    if (description.screening is None) != (not screening):
        raise CheckpointMismatchError(
            f"{path.name} holds one half of its screening network. "
            "Use a checkpoint that training.train made."
        )
    return Checkpoint(description, weights, hashlib.sha256(content).hexdigest(), screening)


def _read(path: Path) -> tuple[bytes, dict[str, Tensor]]:
    """Read a .safetensors file; the content is what was hashed and what is used."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointNotFoundError(
            f"There is no readable checkpoint at {path}. "
            "Set CXR_CHECKPOINT to a .safetensors file that training.train made."
        ) from error
    try:
        return content, load_tensors(content)
    except SafetensorError as error:
        raise CheckpointMismatchError(
            f"{path.name} is not a whole .safetensors file ({error}). "
            "Copy it again from where it was made."
        ) from error


def fill(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load the weights of a checkpoint into a network of its architecture.

    Raises
    ------
    CheckpointMismatchError
        If names or shapes differ; the message names the first difference.
    """
    expected = network.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        there = tuple(weights[name].shape) if name in weights else "absent"
        wanted = tuple(expected[name].shape) if name in expected else "absent"
        if there != wanted:
            raise CheckpointMismatchError(
                f"The checkpoint's {name} is {there}, its architecture wants {wanted}. "
                "Use a checkpoint that training.train made."
            )
    network.load_state_dict({name: weights[name].to(expected[name].dtype) for name in expected})


def _describe(content: bytes, file_name: str) -> Description:
    """Read the description out of the metadata."""
    try:
        document = json.loads(_metadata(content)["description"])
        version = document.pop("format_version")
        if version != FORMAT_VERSION:
            raise CheckpointMismatchError(
                f"{file_name} has format version {version}; this program reads {FORMAT_VERSION}."
            )
        return _description(document)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise CheckpointMismatchError(
            f"{file_name} does not describe itself as this program needs ({problems}). "
            "Use a checkpoint that training.train made."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointMismatchError(
            f"{file_name} does not describe itself as this program needs ({error!r}). "
            "Use a checkpoint that training.train made."
        ) from error


def _metadata(content: bytes) -> dict[str, str]:
    """Read the header that every .safetensors file begins with."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _description(document: dict[str, Any]) -> Description:
    """Build a description from its JSON form."""
    classes = tuple(document["classes"])
    if classes not in {CLASSES, BINARY_CLASSES}:
        raise CheckpointMismatchError(
            f"The checkpoint's classes are {document['classes']}; this program reads {CLASSES} "
            f"and {BINARY_CLASSES}."
        )
    if set(document["operating_points"]) != {"balanced", "high_sensitivity"}:
        raise CheckpointMismatchError(
            f"The checkpoint's operating points are {sorted(document['operating_points'])}; "
            "'balanced' and 'high_sensitivity' are needed."
        )
    description = _DESCRIPTION.validate_json(json.dumps(document))
    if not description.temperature > 0:
        raise CheckpointMismatchError("The checkpoint's temperature must be above 0.")
    return description
