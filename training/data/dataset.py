"""Labelled films on disk: finding them, and decoding each of them once.

Two forms are supported: the Kaggle layout (leaf folders ``NORMAL`` and ``PNEUMONIA``) and a CSV
manifest with the columns ``path,target,cause,patient_id,partition``.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cxr_app.atomic_file import atomic_path, discard_partial
from cxr_app.errors import CxrError, TrainingDataError
from cxr_app.imaging.formats import FILM_SUFFIXES
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model.classes import CLASSES
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import SCORED_SIDE

Films = NDArray[np.uint8]
"""Films resized to squares, shape ``(n, size, size)``, 255 = densest."""

MANIFEST_COLUMNS = ("path", "target", "cause", "patient_id", "partition")
MORE_COLUMNS = ("boxes", "view", "age", "sex")
"""Columns that a manifest may have besides."""
SUFFIXES = FILM_SUFFIXES
ANY_CAUSE = len(CLASSES)
"""Class index for pneumonia of unknown cause."""
_PNEUMONIA_NAME = re.compile(r"(person\d+)_(bacteria|virus)")
_NORMAL_NAME = re.compile(r"(?:NORMAL2-)?IM-\d+")
_CAUSES = {"bacteria": "bacterial", "virus": "viral", "bacterial": "bacterial", "viral": "viral"}


@dataclass(frozen=True, slots=True)
class LabelledFilm:
    """A film with its label and patient.

    Parameters
    ----------
    path
        Its file.
    target
        ``NORMAL`` or ``PNEUMONIA``.
    cause
        ``bacterial`` or ``viral``; empty for a normal film or if it is unknown.
    patient_id
        The same for all films of one person, different for different persons.
    partition
        ``train``, ``val``, ``test`` or empty: the publisher's partition.
    boxes
        Where radiologists saw opacities: ``x y w h`` in pixels of the film, several divided by a
        vertical bar; empty if unknown.
    view, age, sex
        Facts from a manifest: ``AP`` or ``PA``, completed years, ``M`` or ``F``.
    """

    path: Path
    target: str
    cause: str
    patient_id: str
    partition: str
    boxes: str = ""
    view: str = ""
    age: str = ""
    sex: str = ""

    @property
    def class_index(self) -> int:
        """Index in `networks.CLASSES`, or `ANY_CAUSE`."""
        if self.target == "PNEUMONIA" and not self.cause:
            return ANY_CAUSE
        return CLASSES.index(self.cause or "normal")


def find_films(data: Path) -> list[LabelledFilm]:
    """Return the labelled films of a folder or a manifest, in a stable order.

    Raises
    ------
    TrainingDataError
        If there are none, or if a film's label or patient is unknown.
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
    """Read label, cause and patient from a Kaggle-layout path."""
    partition = next((p for p in path.relative_to(data).parts if p in {"train", "val", "test"}), "")
    if path.parent.name == "NORMAL":
        # In this data the IM number of a series identifies a normal patient.
        match = _NORMAL_NAME.match(path.name)
        return LabelledFilm(path, "NORMAL", "", match[0] if match else path.stem, partition)
    found = _PNEUMONIA_NAME.match(path.name)
    if not found:
        raise TrainingDataError(
            f"{path.name} is in PNEUMONIA but its name contains no cause. Name it like "
            "person12_bacteria_47.jpeg, or give a manifest."
        )
    # A person number identifies one person only within a cause.
    cause = _CAUSES[found[2]]
    return LabelledFilm(path, "PNEUMONIA", cause, f"{found[1]}_{cause}", partition)


def find_reviewed(manifest: Path) -> tuple[list[LabelledFilm], int]:
    """Return the films of a manifest of reviews, and the number left out.

    A review may record pneumonia without a cause. No cause is guessed, so the film is left out.

    Raises
    ------
    TrainingDataError
        If the manifest cannot be used.
    """
    rows = _read_rows(manifest)
    usable = [each for each in rows if each[1]["target"] == "NORMAL" or each[1]["cause"]]
    return [_from_row(row, manifest, line) for line, row in usable], len(rows) - len(usable)


def _read_manifest(manifest: Path) -> list[LabelledFilm]:
    """Read a CSV manifest; paths in it are relative to its folder."""
    films = [_from_row(row, manifest, line) for line, row in _read_rows(manifest)]
    if not films:
        raise TrainingDataError(f"{manifest.name} lists no films.")
    _check_patients(films, manifest)
    return films


def _read_rows(manifest: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the rows of a manifest, each with its line number."""
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
    """Refuse films of one person in two partitions; the message names no person."""
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
    cause, target = _CAUSES.get(row["cause"], ""), row["target"]
    understood = bool(cause) == bool(row["cause"])
    if target not in {"NORMAL", "PNEUMONIA"} or not understood or (target == "NORMAL" and cause):
        raise TrainingDataError(
            f"{manifest.name}, line {line}: target {target!r} with cause {row['cause']!r}; allowed "
            "are NORMAL without a cause, and PNEUMONIA with bacterial, viral or no cause."
        )
    if not row["patient_id"]:
        raise TrainingDataError(f"{manifest.name}, line {line} has no patient_id.")
    more = {name: (row.get(name) or "").strip() for name in MORE_COLUMNS}
    _check_boxes(more["boxes"], manifest, line)
    path = manifest.parent / row["path"]
    return LabelledFilm(path, target, cause, row["patient_id"], row["partition"], **more)


def _check_boxes(boxes: str, manifest: Path, line: int) -> None:
    """Refuse boxes that are not four numbers each."""
    for box in filter(None, boxes.split("|")):
        try:
            x, y, width, height = map(float, box.split())
        except ValueError as error:
            raise TrainingDataError(
                f"{manifest.name}, line {line}: boxes {boxes!r}; allowed are x y w h in pixels, "
                "several boxes divided by a vertical bar."
            ) from error
        if min(x, y) < 0 or min(width, height) <= 0:
            raise TrainingDataError(
                f"{manifest.name}, line {line}: the box {box!r} lies outside the film or is empty."
            )


def decode(
    films: Sequence[LabelledFilm],
    size: int,
    cache: Path,
    on_read: Callable[[int, int], None] = lambda *_: None,
) -> Films:
    """Read all films and resize them to squares, or return them from the cache.

    Parameters
    ----------
    films
        The films, in the order of the result.
    size
        Side of the square in pixels.
    cache
        Folder for the decoded films; the same films at the same size are decoded once.
    on_read
        Called with the number of films decoded so far, and of all.

    Raises
    ------
    TrainingDataError
        If a film cannot be read; the message names it.
    """
    path = cache / f"{_key(films, size)}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        discard_partial(cache.iterdir())
        with atomic_path(path) as partial:
            shape = (len(films), size, size)
            decoded = np.lib.format.open_memmap(partial, "w+", dtype=np.uint8, shape=shape)
            for index, image in enumerate(_read_all(films, size)):
                decoded[index] = image
                on_read(index + 1, len(films))
            decoded.flush()
    loaded: Films = np.load(path, mmap_mode="r")
    return loaded


def pixel_digests(films: Films) -> list[str]:
    """Return a digest of each film's pixels, the same for copies under other names."""
    return [hashlib.sha256(film.tobytes()).hexdigest() for film in films]


def _key(films: Iterable[LabelledFilm], size: int) -> str:
    """Compute the name of a cache file from everything that its content depends on."""
    digest = hashlib.sha256(f"squeeze {size}, read at {SCORED_SIDE}".encode())
    for film in films:
        try:
            status = film.path.stat()
        except OSError as error:
            raise TrainingDataError(f"{film.path} cannot be read: {error.strerror}.") from error
        digest.update(f"{film.path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _read_all(films: Sequence[LabelledFilm], size: int) -> Iterable[Films]:
    """Yield the decoded films in order; several are decoded at once."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        decoded = pool.map(lambda film: _read(film, size), films)
        yield from tqdm(decoded, total=len(films), desc="Decoding films", unit="film", disable=None)


def _read(film: LabelledFilm, size: int) -> Films:
    """Decode one film; an error names it."""
    try:
        image = read_radiograph(film.path.read_bytes()).image
    except (CxrError, OSError) as error:
        raise TrainingDataError(f"{film.path} cannot be used: {error}") from error
    resized: Films = np.rint(resize_to_square(image, size) * 255).astype(np.uint8)
    return resized
