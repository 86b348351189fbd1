"""A test partition of films unlike the others: one series, or one acquisition group."""

import csv
import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from cxr_app.errors import TrainingDataError
from training.data.dataset import MANIFEST_COLUMNS, LabelledFilm

TEST, TRAIN = "test", "train"
ONE_IN = 5
"""One patient with pneumonia in this number is tested."""


def without_series(films: Sequence[LabelledFilm], prefix: str) -> list[str]:
    """Return the partition of each film: a series and some of the patients with pneumonia to test.

    Parameters
    ----------
    prefix
        Beginning of the file names of the series.

    Raises
    ------
    TrainingDataError
        If no normal film is in the series, or every one.
    """
    chosen = [
        film.path.name.startswith(prefix) if film.target == "NORMAL" else _is_chosen(film)
        for film in films
    ]
    normal = [is_tested for film, is_tested in zip(films, chosen, strict=True) if not film.cause]
    if len(set(normal)) < 2:
        raise TrainingDataError(
            f"{sum(normal)} of the {len(normal)} normal films have names that begin with "
            f"{prefix!r}: a series is some of them. In this data there are IM and NORMAL2."
        )
    return [TEST if is_tested else TRAIN for is_tested in chosen]


def without_groups(
    films: Sequence[LabelledFilm], groups: Sequence[str], held_out: Collection[str]
) -> list[str]:
    """Return the partition of each film: acquisition groups to test, their patients nowhere else.

    Parameters
    ----------
    groups
        Name of each film's acquisition group.
    held_out
        Those to test.

    Returns
    -------
    list
        ``test`` or ``train``, and nothing for other films of the patients to test.

    Raises
    ------
    TrainingDataError
        If there are not films of both classes to test, or to train on.
    """
    pairs = list(zip(films, groups, strict=True))
    patients = {film.patient_id for film, group in pairs if group in held_out}
    partitions = [
        TEST if group in held_out else "" if film.patient_id in patients else TRAIN
        for film, group in pairs
    ]
    for wanted in (TEST, TRAIN):
        classes = {
            film.target
            for film, partition in zip(films, partitions, strict=True)
            if partition == wanted
        }
        if len(classes) < 2:
            raise TrainingDataError(
                f"{' and '.join(held_out)} cannot be held out: there would not be films of both "
                f"classes to {wanted}. The groups here: {'; '.join(sorted(set(groups)))}."
            )
    return partitions


def write_manifest(path: Path, films: Sequence[LabelledFilm], partitions: Sequence[str]) -> None:
    """Write the manifest of films that are in a partition, with paths relative to its folder."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(MANIFEST_COLUMNS)
        for film, partition in zip(films, partitions, strict=True):
            if partition:
                name = os.path.relpath(film.path, path.parent)
                writer.writerow((name, film.target, film.cause, film.patient_id, partition))


def _is_chosen(film: LabelledFilm) -> bool:
    """Choose by patient, so that the same patients are chosen every time."""
    digest = hashlib.sha256(film.patient_id.encode(errors="surrogateescape")).digest()
    return digest[0] % ONE_IN == 0
