"""A test partition made of one series of normal films, and of some patients with pneumonia."""

import csv
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cxr_app.errors import TrainingDataError
from training.data.dataset import MANIFEST_COLUMNS, LabelledFilm

ONE_IN = 5
"""One patient with pneumonia in this number is tested."""


def tested(films: Sequence[LabelledFilm], prefix: str) -> list[bool]:
    """Return for each film whether it is in the test partition.

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
    return chosen


def write_manifest(path: Path, films: Sequence[LabelledFilm], chosen: Sequence[bool]) -> None:
    """Write the manifest of all films; paths in it are relative to its folder."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(MANIFEST_COLUMNS)
        for film, is_tested in zip(films, chosen, strict=True):
            name = os.path.relpath(film.path, path.parent)
            partition = "test" if is_tested else "train"
            writer.writerow((name, film.target, film.cause, film.patient_id, partition))


def _is_chosen(film: LabelledFilm) -> bool:
    """Choose by patient, so that the same patients are chosen every time."""
    digest = hashlib.sha256(film.patient_id.encode(errors="surrogateescape")).digest()
    return digest[0] % ONE_IN == 0
