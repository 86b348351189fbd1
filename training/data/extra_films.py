"""Films from elsewhere: learned from beside a run's own, and never chosen or measured on.

Films of other hospitals and ages teach what all films of a class have in common. A class of them
often comes from one hospital alone, so that telling the classes is no more than telling the
hospitals: nothing could be measured on them.
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
"""What the films of a folder show; the cause of their pneumonia is not asked."""


class Stack:
    """Two stacks of films of one size, counted as one."""

    def __init__(self, first: Films, second: Films) -> None:
        self._first, self._second = first, second

    def __getitem__(self, chosen: Indices) -> Films:
        """Take films by their places, shape ``(n, size, size)``."""
        own = chosen < len(self._first)
        films = np.empty((len(chosen), *self._first.shape[1:]), dtype=np.uint8)
        films[own] = self._first[chosen[own]]
        films[~own] = self._second[chosen[~own] - len(self._first)]
        return films


@dataclass(frozen=True, slots=True)
class FurtherFilms:
    """Films from elsewhere, decoded.

    Parameters
    ----------
    pixels
        By size, as `finish.RunData` has them.
    targets
        Places in `network.CLASSES`, or `dataset.ANY_CAUSE`.
    """

    pixels: Mapping[int, Films]
    targets: NDArray[np.int64]

    def drawn(self, of_each: int, seed: int) -> Indices:
        """Draw so many films of each class, or all where there are no more."""
        chance = np.random.default_rng(seed)
        classes = [np.flatnonzero(self.targets == target) for target in np.unique(self.targets)]
        drawn = [chance.permutation(places)[:of_each] for places in classes]
        return np.concatenate(drawn).astype(np.intp)


def load(folder: Path, sizes: Sequence[int], cache: Path) -> FurtherFilms:
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
            f"{folder} holds no films of both classes. Films from elsewhere lie in subfolders "
            f"NORMAL and PNEUMONIA (or COVID-19), or the network learns to tell where from."
        )
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return FurtherFilms({size: decode(films, size, cache) for size in sizes}, targets)


def check_apart(further: Films, measured: Sequence[str]) -> None:
    """Refuse films from elsewhere that somebody chooses or measures by.

    Parameters
    ----------
    measured
        Digests of the pixels of the films that are not learned from, of the same size.

    Raises
    ------
    TrainingDataError
        If one of them is among those.
    """
    both = set(pixel_digests(further)) & set(measured)
    if both:
        raise TrainingDataError(
            f"{len(both)} of the films from elsewhere have the pixels of films that are kept for "
            "measuring. Give films that are not among --data."
        )
