"""Labelled films on disk: finding them, and decoding each of them once.

Two forms are understood: the Kaggle layout (leaf folders ``NORMAL`` and ``PNEUMONIA``) and a CSV
manifest with the columns ``path,target,cause,patient_id,partition``.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cxr_app.errors import CxrError, TrainingDataError
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model.networks import CLASSES
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import SCORED_SIDE

Films = NDArray[np.uint8]
"""Squeezed films, shape ``(n, size, size)``, 255 = densest."""

MANIFEST_COLUMNS = ("path", "target", "cause", "patient_id", "partition")
SUFFIXES = {".jpeg", ".jpg", ".png", ".dcm", ".dicom"}
ANY_CAUSE = len(CLASSES)
"""Stands in the place of a class for pneumonia of which nobody knows the cause."""
_PNEUMONIA_NAME = re.compile(r"(person\d+)_(bacteria|virus)")
_NORMAL_NAME = re.compile(r"(?:NORMAL2-)?IM-\d+")
_CAUSES = {"bacteria": "bacterial", "virus": "viral", "bacterial": "bacterial", "viral": "viral"}


@dataclass(frozen=True, slots=True)
class LabelledFilm:
    """A film and what is known about it.

    Parameters
    ----------
    path
        Where it lies.
    target
        ``NORMAL`` or ``PNEUMONIA``.
    cause
        ``bacterial`` or ``viral``; empty for a normal film, and where nobody knows it.
    patient_id
        The same for all films of one person, different for two persons.
    partition
        ``train``, ``val``, ``test`` or empty: where its publisher put it.
    """

    path: Path
    target: str
    cause: str
    patient_id: str
    partition: str

    @property
    def class_index(self) -> int:
        """Place in `network.CLASSES`, or `ANY_CAUSE`."""
        if self.target == "PNEUMONIA" and not self.cause:
            return ANY_CAUSE
        return CLASSES.index(self.cause or "normal")


def find_films(data: Path) -> list[LabelledFilm]:
    """List the labelled films of a folder or a manifest, in a stable order.

    Raises
    ------
    TrainingDataError
        If there are none, or if a film's label or patient cannot be told.
    """
    if data.is_file():
        return _read_manifest(data)
    films = [
        _from_name(path, data)
        for path in sorted(data.rglob("*"))
        if path.parent.name in {"NORMAL", "PNEUMONIA"} and path.suffix.lower() in SUFFIXES
    ]
    if not films:
        raise TrainingDataError(
            f"{data} holds no films. Give a folder with subfolders NORMAL and PNEUMONIA, "
            f"or a CSV manifest with the columns {','.join(MANIFEST_COLUMNS)}."
        )
    return films


def _from_name(path: Path, data: Path) -> LabelledFilm:
    """Read label, cause and patient out of a Kaggle-layout path."""
    partition = next((p for p in path.relative_to(data).parts if p in {"train", "val", "test"}), "")
    if path.parent.name == "NORMAL":
        # In this data a normal patient is the IM number of its series.
        match = _NORMAL_NAME.match(path.name)
        return LabelledFilm(path, "NORMAL", "", match[0] if match else path.stem, partition)
    found = _PNEUMONIA_NAME.match(path.name)
    if not found:
        raise TrainingDataError(
            f"{path.name} lies in PNEUMONIA but its name tells no cause. Name it like "
            "person12_bacteria_47.jpeg, or give a manifest."
        )
    # A person number means one person only within a cause.
    cause = _CAUSES[found[2]]
    return LabelledFilm(path, "PNEUMONIA", cause, f"{found[1]}_{cause}", partition)


def find_reviewed(manifest: Path) -> tuple[list[LabelledFilm], int]:
    """List the films of a manifest of reviews, and count those left out.

    A reader may say pneumonia without a cause. Nobody guesses one, so such a film is left out.

    Raises
    ------
    TrainingDataError
        If the manifest cannot be used.
    """
    rows = _read_rows(manifest)
    told = [each for each in rows if each[1]["target"] == "NORMAL" or each[1]["cause"]]
    return [_from_row(row, manifest, line) for line, row in told], len(rows) - len(told)


def _read_manifest(manifest: Path) -> list[LabelledFilm]:
    """Read a CSV manifest; paths in it are relative to its folder."""
    films = [_from_row(row, manifest, line) for line, row in _read_rows(manifest)]
    if not films:
        raise TrainingDataError(f"{manifest.name} lists no films.")
    _check_patients(films, manifest)
    return films


def _read_rows(manifest: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the lines of a manifest, each with its number."""
    with manifest.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        reader = csv.DictReader(file)
        missing = set(MANIFEST_COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise TrainingDataError(
                f"{manifest.name} lacks {', '.join(sorted(missing))}; "
                f"a manifest has the columns {','.join(MANIFEST_COLUMNS)}."
            )
        return list(enumerate(reader, start=2))


def _check_patients(films: Sequence[LabelledFilm], manifest: Path) -> None:
    """Refuse a manifest that puts one person's films on two sides; no identity in the message."""
    first: dict[str, tuple[int, str]] = {}
    for line, film in enumerate(films, start=2):
        earlier, partition = first.setdefault(film.patient_id, (line, film.partition))
        if film.partition != partition:
            raise TrainingDataError(
                f"{manifest.name}, lines {earlier} and {line}: one patient in the partitions "
                f"{partition!r} and {film.partition!r}. Put all films of a patient into one."
            )


def _from_row(row: dict[str, str], manifest: Path, line: int) -> LabelledFilm:
    """Check one line of a manifest."""
    cause = _CAUSES.get(row["cause"], "")
    if row["target"] not in {"NORMAL", "PNEUMONIA"} or (row["target"] == "NORMAL") == bool(cause):
        raise TrainingDataError(
            f"{manifest.name}, line {line}: target {row['target']!r} with cause {row['cause']!r}; "
            "allowed are NORMAL without a cause, and PNEUMONIA with bacterial or viral."
        )
    if not row["patient_id"]:
        raise TrainingDataError(f"{manifest.name}, line {line} has no patient_id.")
    path = manifest.parent / row["path"]
    return LabelledFilm(path, row["target"], cause, row["patient_id"], row["partition"])


def decode(films: Sequence[LabelledFilm], size: int, cache: Path) -> Films:
    """Read every film and resize it to a square, or take them from the cache of an earlier call.

    Parameters
    ----------
    films
        The films, in the order of the result.
    size
        Side of the square in pixels.
    cache
        Folder for the decoded films; the same films at the same size are decoded once.

    Raises
    ------
    TrainingDataError
        If a film cannot be read; the message names it.
    """
    path = cache / f"{_key(films, size)}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        decoded = np.lib.format.open_memmap(
            partial, mode="w+", dtype=np.uint8, shape=(len(films), size, size)
        )
        for index, image in enumerate(_read_all(films, size)):
            decoded[index] = image
        decoded.flush()
        partial.replace(path)
    loaded: Films = np.load(path, mmap_mode="r")
    return loaded


def pixel_digests(films: Films) -> list[str]:
    """Tell each film by its pixels, so that copies under other names are seen."""
    return [hashlib.sha256(film.tobytes()).hexdigest() for film in films]


def _key(films: Iterable[LabelledFilm], size: int) -> str:
    """Name a cache file after everything that its content depends on."""
    digest = hashlib.sha256(f"squeeze {size}, read at {SCORED_SIDE}".encode())
    for film in films:
        try:
            status = film.path.stat()
        except OSError as error:
            raise TrainingDataError(f"{film.path} cannot be read: {error.strerror}.") from error
        digest.update(f"{film.path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _read_all(films: Sequence[LabelledFilm], size: int) -> Iterable[Films]:
    """Decode in the order of the films, several at once."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        decoded = pool.map(lambda film: _read(film, size), films)
        yield from tqdm(decoded, total=len(films), desc="Decoding films", unit="film", disable=None)


def _read(film: LabelledFilm, size: int) -> Films:
    """Decode one film and name it where that fails."""
    try:
        image = read_radiograph(film.path.read_bytes()).image
    except (CxrError, OSError) as error:
        raise TrainingDataError(f"{film.path} cannot be used: {error}") from error
    squeezed: Films = np.rint(resize_to_square(image, size) * 255).astype(np.uint8)
    return squeezed
