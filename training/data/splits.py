"""Train, tune and validation parts: split by patient, never the same pixels in two parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from cxr_app.errors import TrainingDataError
from cxr_app.model.classes import CLASSES
from cxr_app.model.description import Description
from training.data.dataset import LabelledFilm, decode, pixel_digests

Indices = NDArray[np.intp]

FOLDS = 10
FEWEST_PATIENTS = FOLDS
"""Smallest number of patients of each class; with fewer, a part could lack the class."""
PARTS = ("train", "tune", "validation")


@dataclass(frozen=True, slots=True)
class Split:
    """Indices in the list of films.

    Parameters
    ----------
    train
        Fits the weights.
    tune
        Chooses the best epoch, the temperature and the operating points.
    validation
        Chooses nothing; the reported figures are measured on it.
    """

    train: Indices
    tune: Indices
    validation: Indices


def split(films: Sequence[LabelledFilm], digests: Sequence[str], seed: int) -> Split:
    """Split 8 : 1 : 1 by patient, stratified by class.

    Films whose pixels are the same count as one patient's. Films of a ``test`` partition are
    left out; only `training.evaluate` reads them.

    Raises
    ------
    TrainingDataError
        If a class has too few patients, or if two partitions contain the same pixels.
    """
    _check_partitions(films, digests)
    used = np.array([i for i, film in enumerate(films) if film.partition != "test"], dtype=np.intp)
    classes = np.array([films[i].class_index for i in used])
    groups = np.array(group_by_patient([films[i] for i in used], [digests[i] for i in used]))
    check_classes(classes, groups)
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    parts = [part for _, part in folds.split(used, classes, groups)]
    return Split(
        train=used[np.sort(np.concatenate(parts[2:]))],
        tune=used[np.sort(parts[1])],
        validation=used[np.sort(parts[0])],
    )


def own_split(films: Sequence[LabelledFilm], description: Description, cache: Path) -> Split | None:
    """Repeat the split of a checkpoint's training; None if these are not its films.

    Raises
    ------
    TrainingDataError
        If a film cannot be read, or the films cannot be split.
    """
    expected = description.data_summary
    if "validation" not in expected or "seed" not in description.training_config:
        return None
    available = sum(film.partition != "test" for film in films)
    if available != sum(expected[name][label] for name in PARTS for label in CLASSES):
        return None
    pixels = decode(films, description.input_spec.size, cache)
    parts = split(films, pixel_digests(pixels), description.training_config["seed"])
    found = counts_of(films, parts)
    return parts if all(found[name] == expected[name] for name in PARTS) else None


def counts_of(films: Sequence[LabelledFilm], parts: Split) -> Mapping[str, Any]:
    """Count films and patients by part and class, as a checkpoint stores them."""
    counts: dict[str, Any] = {"films": len(films), "folds": FOLDS}
    for name in PARTS:
        chosen = [films[index] for index in getattr(parts, name)]
        by_class = np.bincount([film.class_index for film in chosen], minlength=len(CLASSES))
        counts[name] = {
            **dict(zip(CLASSES, (int(count) for count in by_class), strict=True)),
            "patients": len({film.patient_id for film in chosen}),
        }
    return counts


def group_by_patient(films: Sequence[LabelledFilm], digests: Sequence[str]) -> list[int]:
    """Return the group of each film; films of one patient or with the same pixels share it."""
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
    """Refuse the same pixels in two partitions."""
    first: dict[str, LabelledFilm] = {}
    for film, digest in zip(films, digests, strict=True):
        twin = first.setdefault(digest, film)
        if twin.partition != film.partition:
            raise TrainingDataError(
                f"{twin.path} in the partition {twin.partition!r} and {film.path} in "
                f"{film.partition!r} have the same pixels; a film may be in one partition "
                "only. Remove one of them."
            )


def check_classes(classes: NDArray[np.int_], groups: NDArray[np.int_]) -> None:
    """Refuse data in which a class is empty or has too few patients.

    Parameters
    ----------
    classes
        Indices in `networks.CLASSES`.
    groups
        Films with the same number stay together.

    Raises
    ------
    TrainingDataError
        The message names the class.
    """
    for index, name in enumerate(CLASSES):
        count = int(np.sum(classes == index))
        patients = len(set(groups[classes == index]))
        if patients < FEWEST_PATIENTS:
            found = f"has {count} films of {patients} patients" if count else "is empty"
            raise TrainingDataError(
                f"The class {name!r} {found}; films of at least {FEWEST_PATIENTS} patients "
                "are needed to train, tune and measure on different people. Add such films."
            )
