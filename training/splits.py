"""Who learns, who tunes, who measures: by patient, and never the same pixels on two sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from cxr_app.errors import TrainingDataError
from cxr_app.network import CLASSES
from training.dataset import LabelledFilm

Indices = NDArray[np.intp]

FOLDS = 10
FEWEST_PATIENTS = FOLDS
"""Of each class: with fewer, some part would hold none."""


@dataclass(frozen=True, slots=True)
class Split:
    """Places in the list of films.

    Parameters
    ----------
    train
        The weights are fitted on these.
    tune
        The best epoch, the temperature and the operating points are chosen on these.
    validation
        Nothing is chosen on these; what is reported is measured here.
    """

    train: Indices
    tune: Indices
    validation: Indices


def split(films: Sequence[LabelledFilm], digests: Sequence[str], seed: int) -> Split:
    """Split eight to one to one, by patient, each class in its share.

    Films whose pixels are the same count as one patient's. Films of a ``test`` partition are
    left out: `evaluate` alone opens it.

    Raises
    ------
    TrainingDataError
        If a class has too few patients to split, or the same pixels stand in two partitions.
    """
    _check_partitions(films, digests)
    used = np.array([i for i, film in enumerate(films) if film.partition != "test"], dtype=np.intp)
    classes = np.array([films[i].class_index for i in used])
    groups = np.array(group_by_patient([films[i] for i in used], [digests[i] for i in used]))
    _check_classes(classes, groups)
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    parts = [part for _, part in folds.split(used, classes, groups)]
    return Split(
        train=used[np.sort(np.concatenate(parts[2:]))],
        tune=used[np.sort(parts[1])],
        validation=used[np.sort(parts[0])],
    )


def group_by_patient(films: Sequence[LabelledFilm], digests: Sequence[str]) -> list[int]:
    """Find which films must stay together: one patient, or the same pixels."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for film, digest in zip(films, digests, strict=True):
        leader[find(f"pixels {digest}")] = find(f"patient {film.patient_id}")
    roots = [find(f"patient {film.patient_id}") for film in films]
    numbers = {root: number for number, root in enumerate(dict.fromkeys(roots))}
    return [numbers[root] for root in roots]


def _check_partitions(films: Sequence[LabelledFilm], digests: Sequence[str]) -> None:
    """Refuse films whose publisher put them on both sides of what should divide them."""
    first: dict[str, LabelledFilm] = {}
    for film, digest in zip(films, digests, strict=True):
        twin = first.setdefault(digest, film)
        if twin.partition != film.partition:
            raise TrainingDataError(
                f"{twin.path} in the partition {twin.partition!r} and {film.path} in "
                f"{film.partition!r} have the same pixels; a film may stand in one partition "
                "only. Remove one of them."
            )


def _check_classes(classes: NDArray[np.int_], groups: NDArray[np.int_]) -> None:
    """Refuse data in which a class is empty or held by too few patients."""
    for index, name in enumerate(CLASSES):
        count = int(np.sum(classes == index))
        patients = len(set(groups[classes == index]))
        if patients < FEWEST_PATIENTS:
            found = f"has {count} films of {patients} patients" if count else "is empty"
            raise TrainingDataError(
                f"The class {name!r} {found}; films of at least {FEWEST_PATIENTS} patients "
                "are needed to train, tune and measure on different people. Add such films."
            )
