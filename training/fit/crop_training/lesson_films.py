"""All films that the lung-crop network learns from, in one table: pixels, labels, lungs.

Children's films are labelled by their publisher; adults' films by radiologists, who drew boxes
around opacities, or weakly by text mining; films of a collection are of one class for each source.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_app.errors import TrainingDataError
from cxr_app.model.networks.lung_crop import FILM_SIDE
from training.data.dataset import Films, LabelledFilm, decode, find_films, pixel_digests
from training.data.extra_films import TARGETS
from training.data.splits import group_by_patient, split

NORMAL, BACTERIAL, VIRAL, PNEUMONIA, UNLABELLED = 0, 1, 2, 3, -1
"""Classes; PNEUMONIA is of unknown cause."""
CHILDREN, ADULTS, COLLECTION = 0, 1, 2
"""Sources: films as `dataset` finds them, ``--adults``, ``--further``."""
BOX_SIDE = 320
"""Boxes of ``labels.csv`` are in pixels of films of this side."""
GROWN_UP = 18
ADULT_FOLDS = 3
"""Parts of the adults; a member leaves out the one of its own number, and is measured on that."""
NO_FOLD = -1
MOST_OF_COLLECTION = {"NORMAL": 2400, "PNEUMONIA": 1200}

Places = NDArray[np.intp]
"""Indices of films."""

CERTAIN = 1.0
_RSNA = {
    "Lung Opacity": (PNEUMONIA, CERTAIN),
    "Normal": (NORMAL, CERTAIN),
    "No Lung Opacity / Not Normal": (NORMAL, 0.4),
}
"""Class and weight of the radiologists' classes; a film that is otherwise abnormal counts less."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmTable:
    """Films and what is known of them; arrays of one length.

    Parameters
    ----------
    pixels
        ``(n, 224, 224)``, ``uint8``: films resized to a square.
    paths, patients, views, boxes
        Text; ``boxes`` as ``x y w h`` in pixels of 320, divided by vertical bars.
    sources, targets, ages
        Integers; an unknown age is -1.
    weights
        How sure a label is, in ``(0, 1]``.
    is_read
        Whether a radiologist gave the class of an adult's film.
    parts
        ``train``, ``tune`` or ``validation``.
    folds
        0 to 2 for adults, the same for all films of a patient; `NO_FOLD` for other films.
    """

    pixels: Films
    paths: NDArray[np.str_]
    patients: NDArray[np.str_]
    views: NDArray[np.str_]
    boxes: NDArray[np.str_]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    ages: NDArray[np.int64]
    weights: NDArray[np.float64]
    is_read: NDArray[np.bool_]
    parts: NDArray[np.str_]
    folds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Row:
    film: LabelledFilm
    source: int
    target: int
    patient: str
    part: str = "train"
    fold: int = NO_FOLD
    view: str = ""
    age: int = -1
    weight: float = CERTAIN
    is_read: bool = False
    boxes: str = ""


def read_table(
    data: Path, adults: Path | None, further: Path | None, cache: Path, seed: int
) -> FilmTable:
    """Find and decode all films, and divide their patients.

    Parameters
    ----------
    data
        Children's films, as `dataset.find_films` has them; those of a ``test`` partition are left
        out, as `splits.split` does.
    adults
        Folder with ``labels.csv`` and ``images/``; None for none.
    further
        Folder of a collection, as `extra_films` has it; None for none.
    cache
        Folder for decoded films.
    seed
        Of the split.
    """
    films = find_films(data)
    decoded = decode(films, FILM_SIDE, cache)
    digests = pixel_digests(decoded)
    parts = _parts(films, digests, seed)
    pixels = [decoded if len(parts) == len(films) else decoded[list(parts)]]
    rows = _children(
        [films[place] for place in parts],
        [digests[place] for place in parts],
        list(parts.values()),
    )
    for more in (_adults(adults, seed) if adults else [], _collection(further) if further else []):
        if more:
            pixels.append(decode([row.film for row in more], FILM_SIDE, cache))
            rows += more
    return _table(rows, np.concatenate(pixels) if len(pixels) > 1 else pixels[0])


def children_of(data: Path) -> list[LabelledFilm]:
    """Return the films of the table's children, in its order."""
    return [film for film in find_films(data) if film.partition != "test"]


def _table(rows: Sequence[_Row], pixels: Films) -> FilmTable:
    return FilmTable(
        pixels=pixels,
        paths=np.array([str(row.film.path) for row in rows]),
        patients=np.array([row.patient for row in rows]),
        views=np.array([row.view for row in rows]),
        boxes=np.array([row.boxes for row in rows]),
        sources=np.array([row.source for row in rows]),
        targets=np.array([row.target for row in rows]),
        ages=np.array([row.age for row in rows]),
        weights=np.array([row.weight for row in rows]),
        is_read=np.array([row.is_read for row in rows]),
        parts=np.array([row.part for row in rows]),
        folds=np.array([row.fold for row in rows]),
    )


def _parts(films: Sequence[LabelledFilm], digests: Sequence[str], seed: int) -> dict[int, str]:
    """Return the part of each film by its place, in order; films kept for testing have none."""
    divided = split(films, digests, seed)
    places = {"train": divided.train, "tune": divided.tune, "validation": divided.validation}
    found = {int(place): part for part, own in places.items() for place in own}
    return {place: found[place] for place in sorted(found)}


def _children(
    films: Sequence[LabelledFilm], digests: Sequence[str], parts: Sequence[str]
) -> list[_Row]:
    groups = group_by_patient(films, digests)
    return [
        _Row(film, CHILDREN, min(film.class_index, PNEUMONIA), f"child {group}", part)
        for film, group, part in zip(films, groups, parts, strict=True)
    ]


def _adults(folder: Path, seed: int) -> list[_Row]:
    """Read ``labels.csv``, and divide its patients into folds."""
    labels = folder / "labels.csv"
    if not labels.is_file():
        raise TrainingDataError(f"{folder} has no labels.csv. Give a folder with labels.csv.")
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    patients = sorted({row["patient"] for row in rows})
    shuffled = np.random.default_rng(seed).permutation(patients).tolist()
    folds = {patient: place % ADULT_FOLDS for place, patient in enumerate(shuffled)}
    return [_adult(row, folder, folds[row["patient"]]) for row in rows]


def _adult(row: dict[str, str], folder: Path, fold: int) -> _Row:
    known = row["rsna_class"]
    target, weight = _RSNA[known] if known else _weak_label(set(row["nih_labels"].split("|")))
    name = "PNEUMONIA" if target == PNEUMONIA else "NORMAL"
    patient = f"adult {row['patient']}"
    film = LabelledFilm(folder / "images" / row["image"], name, "", patient, "")
    return _Row(
        film,
        ADULTS,
        target,
        patient,
        fold=fold,
        view=row["view"],
        age=int(row["age"]),
        weight=weight,
        is_read=bool(known),
        boxes=row["rsna_boxes"],
    )


def _weak_label(labels: set[str]) -> tuple[int, float]:
    """Return class and weight of labels mined from text; they are wrong for many films."""
    if labels & {"Pneumonia", "Consolidation"}:
        return PNEUMONIA, 0.35
    if "Infiltration" in labels:
        return PNEUMONIA, 0.2
    return (NORMAL, 0.5) if labels == {"No Finding"} else (UNLABELLED, 0.5)


def _collection(folder: Path) -> list[_Row]:
    """Draw films of each class: a class is a source here, so that nothing is measured on them."""
    chance = np.random.default_rng(0)
    rows: list[_Row] = []
    for name, target in TARGETS.items():
        paths = sorted((folder / name).glob("*")) if (folder / name).is_dir() else []
        drawn = sorted(chance.permutation(len(paths))[: MOST_OF_COLLECTION[target]])
        label = NORMAL if target == "NORMAL" else PNEUMONIA
        for path in (paths[place] for place in drawn):
            film = LabelledFilm(path, target, "", f"collection {path.stem}", "")
            rows.append(_Row(film, COLLECTION, label, film.patient_id, weight=0.5))
    return rows
