"""Networks that another one learns from: it is to say of a film what they say on average.

Several networks that differ only in their chance agree on what the films show and differ in what
they happened to pick up beside it. One network that learns their mean costs a reader no more than
any of them. It sees each film varied anew, and the teachers see the very same variation (Hinton et
al. 2015; Beyer et al. 2022).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from cxr_app import checkpoint, network
from cxr_app.errors import SettingsError, TrainingDataError
from cxr_app.grid_network import CLASSES, GridNetwork
from cxr_app.preprocessing import InputSpec
from training.engine import normalise


@dataclass(frozen=True, slots=True)
class Teacher:
    """A finished network.

    Parameters
    ----------
    version
        Of its checkpoint.
    model, spec
        On the device of the training, and how it reads films.
    """

    version: str
    model: GridNetwork
    spec: InputSpec


class Teachers:
    """Finished networks that are asked together.

    Parameters
    ----------
    teachers
        At least one, all reading films of one size.
    """

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = tuple(teachers)

    @property
    def versions(self) -> list[str]:
        """Of their checkpoints."""
        return [teacher.version for teacher in self._teachers]

    def __call__(self, films: Tensor) -> Tensor:
        """Give the mean of their probabilities.

        Parameters
        ----------
        films
            ``(B, 1, size, size)`` in ``[0, 1]``.

        Returns
        -------
        Tensor
            ``(B, 3)`` in the order of `network.CLASSES`.
        """
        with torch.no_grad():
            told = [
                functional.softmax(each.model(normalise(films, each.spec)).float(), dim=1)
                for each in self._teachers
            ]
        return torch.stack(told).mean(dim=0)


def load(runs: Sequence[Path], size: int, device: torch.device) -> Teachers:
    """Read the checkpoints of finished runs.

    Parameters
    ----------
    runs
        Folders of `training.train`.
    size
        Side of the films that the network which learns ends with.

    Raises
    ------
    SettingsError
        If one is not there, knows no causes, or reads films of another size.
    """
    teachers = []
    for run in runs:
        source = checkpoint.load(run / "checkpoint.safetensors")
        described = source.description
        if described.classes != CLASSES or described.input_spec.size != size:
            raise SettingsError(
                f"{run} tells {', '.join(described.classes)} on films of "
                f"{described.input_spec.size} pixels; a teacher tells {', '.join(CLASSES)} on the "
                f"size that the recipe ends with, here {size}. Give runs of such a recipe."
            )
        model = network.build(described.architecture)
        checkpoint.fill(model, source.weights)
        model = model.to(device).to(memory_format=torch.channels_last).eval()
        teachers.append(Teacher(source.model_version, model, described.input_spec))
    return Teachers(teachers)


def check_apart(runs: Sequence[Path], measured: Sequence[str]) -> None:
    """Refuse teachers that learned from films which are kept for choosing or measuring.

    Parameters
    ----------
    measured
        Names of those films, as ``split.csv`` has them.

    Raises
    ------
    TrainingDataError
        If one did, or if its films are not known.
    """
    for run in runs:
        path = run / "split.csv"
        if not path.is_file():
            raise TrainingDataError(f"{run} holds no finished run: split.csv is not there.")
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            parts = {row["path"]: row["partition"] for row in csv.DictReader(file)}
        strange = [name for name in measured if parts.get(name, "train") == "train"]
        if strange:
            raise TrainingDataError(
                f"{run} learned from {len(strange)} of the {len(measured)} films that are kept for "
                "choosing and measuring here, or does not know them. Train teachers on the same "
                "--data and with the same --split-seed."
            )
