"""Films from elsewhere: trained on beside a run's own, never used for choices or measurements.

Films of other hospitals and ages show what all films of a class have in common. All films of one
class often come from one hospital, so that a network may distinguish the hospitals instead of the
classes: no measurement on them would mean anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_app.errors import TrainingDataError
from training.data.dataset import SUFFIXES, Films, LabelledFilm, decode, pixel_digests
from training.data.splits import Indices

TARGETS = {"NORMAL": "NORMAL", "PNEUMONIA": "PNEUMONIA", "COVID-19": "PNEUMONIA"}
"""Target of the films in each folder; the cause of their pneumonia is left unknown."""


class StackedFilms:
    """Two arrays of films of one size, indexed as one without a copy."""

    def __init__(self, first: Films, second: Films) -> None:
        self._first, self._second = first, second

    def __getitem__(self, chosen: Indices) -> Films:
        """Return films by their indices, shape ``(n, size, size)``."""
        own = chosen < len(self._first)
        films = np.empty((len(chosen), *self._first.shape[1:]), dtype=np.uint8)
        films[own] = self._first[chosen[own]]
        films[~own] = self._second[chosen[~own] - len(self._first)]
        return films


@dataclass(frozen=True, slots=True)
class ExtraFilms:
    """Films from elsewhere, decoded.

    Parameters
    ----------
    pixels
        By size, as in `run_data.RunData`.
    targets
        Indices in `networks.CLASSES`, or `dataset.ANY_CAUSE`.
    """

    pixels: Mapping[int, Films]
    targets: NDArray[np.int64]

    def sample(self, of_each: int, seed: int) -> Indices:
        """Draw `of_each` films of each class, or all if there are fewer."""
        generator = np.random.default_rng(seed)
        classes = [np.flatnonzero(self.targets == target) for target in np.unique(self.targets)]
        sampled = [generator.permutation(indices)[:of_each] for indices in classes]
        return np.concatenate(sampled).astype(np.intp)


def load(folder: Path, sizes: Sequence[int], cache: Path) -> ExtraFilms:
    """Find and decode the films of a folder with subfolders named as in `TARGETS`.

    Raises
    ------
    TrainingDataError
        If there are none, or one cannot be read.
    """
    films = [
        LabelledFilm(path, TARGETS[path.parent.name], "", path.stem, "")
        for path in sorted(folder.rglob("*"))
        if path.parent.name in TARGETS and path.suffix.lower() in SUFFIXES
    ]
    if len({film.target for film in films}) < 2:
        raise TrainingDataError(
            f"{folder} does not hold films of both classes, so the network would learn to "
            "recognise where films come from. Put them into subfolders NORMAL and PNEUMONIA "
            "(or COVID-19)."
        )
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return ExtraFilms({size: decode(films, size, cache) for size in sizes}, targets)


def check_disjoint(extra: Films, measured: Sequence[str]) -> None:
    """Refuse films from elsewhere that are also used for choices or measurements.

    Parameters
    ----------
    measured
        Digests of the pixels of the run's films outside the train part, of the same size.

    Raises
    ------
    TrainingDataError
        If a film is among both.
    """
    both = set(pixel_digests(extra)) & set(measured)
    if both:
        raise TrainingDataError(
            f"{len(both)} of the films from elsewhere have the pixels of films that are kept for "
            "measuring. Give films that are not in --data."
        )
