"""Weights and everything needed to use them, in one ``.safetensors`` file; never a pickle.

The description travels as JSON in the file's metadata. A threshold belongs to the weights it
was chosen for, so both live here and nowhere else.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import CheckpointMismatchError
from cxr_app.model.description import (
    FORMAT_VERSION,
    SCREENING_PREFIX,
    DescribedCheckpoint,
    Description,
    check_halves,
    describe,
    metadata_of,
    not_whole,
    read_content,
)
from cxr_app.model.view_spec import ViewSpec


@dataclass(frozen=True, slots=True)
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
    def described(self) -> DescribedCheckpoint:
        """The same without its weights."""
        names = {*self.weights, *(SCREENING_PREFIX + name for name in self.screening_weights)}
        return DescribedCheckpoint(
            self.description, self.sha256, frozenset(names), self.site_prevalence
        )

    @property
    def file_version(self) -> str:
        """As `DescribedCheckpoint` has it."""
        return self.described.file_version

    @property
    def model_version(self) -> str:
        """As `DescribedCheckpoint` has it."""
        return self.described.model_version


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
        spec = ViewSpec(**json.loads(metadata_of(content)["screening"]))
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
    description = describe(content, path.name)
    check_halves(description, tensors, path.name)
    return Checkpoint(description, weights, hashlib.sha256(content).hexdigest(), screening)


def _read(path: Path) -> tuple[bytes, dict[str, Tensor]]:
    """Read a .safetensors file; the content is what was hashed and what is used."""
    content = read_content(path)
    try:
        return content, load_tensors(content)
    except SafetensorError as error:
        raise not_whole(path, error) from error


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
