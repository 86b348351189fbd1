"""What a checkpoint says of itself, read without PyTorch."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError, deserialize

from cxr_app.errors import CheckpointMismatchError, CheckpointNotFoundError
from cxr_app.model.classes import BINARY_CLASSES, CLASSES
from cxr_app.model.preprocessing import InputSpec
from cxr_app.model.view_spec import ViewSpec
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
class DescribedCheckpoint:
    """A checkpoint file as far as it is known without its weights.

    Parameters
    ----------
    description
        As stored in the file.
    sha256
        Of the whole file, 64 hexadecimal digits.
    weight_names
        Of all its weights.
    site_prevalence
        Shares of pneumonia that the file's probabilities and, here, the site's are made for; None
        if they are those of the file.
    """

    description: Description
    sha256: str
    weight_names: frozenset[str]
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


def read_described(path: Path) -> DescribedCheckpoint:
    """Read what a checkpoint says of itself, and check that its file is whole.

    Raises
    ------
    CheckpointError
        As `checkpoint.load`.
    """
    content = read_content(path)
    try:
        names = frozenset(name for name, _ in deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise not_whole(path, error) from error
    description = describe(content, path.name)
    check_halves(description, names, path.name)
    return DescribedCheckpoint(description, hashlib.sha256(content).hexdigest(), names)


def read_content(path: Path) -> bytes:
    """Read a checkpoint's file.

    Raises
    ------
    CheckpointNotFoundError
        If there is no such file.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointNotFoundError(
            f"There is no readable checkpoint at {path}. "
            "Set CXR_CHECKPOINT to a .safetensors file that training.train made."
        ) from error


def not_whole(path: Path, error: SafetensorError) -> CheckpointMismatchError:
    """Return what to say of a damaged file."""
    return CheckpointMismatchError(
        f"{path.name} is not a whole .safetensors file ({error}). "
        "Copy it again from where it was made."
    )


def check_halves(description: Description, names: Collection[str], file_name: str) -> None:
    """Check that a file has both the view network's weights and their thresholds, or neither.

    Raises
    ------
    CheckpointMismatchError
        If it has one of the two.
    """
    has_weights = any(name.startswith(SCREENING_PREFIX) for name in names)
    if (description.screening is not None) != has_weights:
        raise CheckpointMismatchError(
            f"{file_name} holds one half of its screening network. "
            "Use a checkpoint that training.train made."
        )


def describe(content: bytes, file_name: str) -> Description:
    """Read the description out of the metadata of a checkpoint.

    Parameters
    ----------
    content
        The whole file.
    file_name
        What messages call it.

    Raises
    ------
    CheckpointMismatchError
        If it is of another format version, or not as this program needs it.
    """
    try:
        document = json.loads(metadata_of(content)["description"])
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


def metadata_of(content: bytes) -> dict[str, str]:
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
