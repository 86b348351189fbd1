"""Whose films teach a challenger, and whose are kept back to compare it with the model in use.

The side of a patient does not depend on the other films: the same patient is kept back in every
retraining, so that no challenger has ever learned from what a later one is compared on.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from cxr_app.errors import TrainingDataError
from training.data.dataset import MANIFEST_COLUMNS, LabelledFilm
from training.data.splits import group_by_patient

KEPT_BACK = 5
"""One patient in so many is kept back, where nothing else decides."""


class Side(Enum):
    """What a film is used for."""

    LEARN = "learn"
    COMPARE = "compare"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class FilmHistory:
    """What is known of films by their SHA-256.

    Parameters
    ----------
    tested
        Were measured as a test partition: they are used for nothing here.
    compared
        An earlier challenger was compared on them: they are kept back for ever.
    learned, unseen
        The model in use has learned from them, or is known not to have.
    """

    tested: AbstractSet[str] = frozenset()
    compared: AbstractSet[str] = frozenset()
    learned: AbstractSet[str] = frozenset()
    unseen: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HoldoutFilm:
    """A film that somebody chose, and the SHA-256 of its file."""

    film: LabelledFilm
    sha256: str


def read_candidates(sources: Iterable[Sequence[LabelledFilm]]) -> list[HoldoutFilm]:
    """Put the films of several sources together, patients under names that tell nobody.

    A person's name holds in all sources: films of one patient stay on one side wherever they come
    from. Names in a test partition of a folder are apart, since that numbers its patients anew.

    Raises
    ------
    TrainingDataError
        If a film cannot be read; the message names it.
    """
    films = [film for source in sources for film in source]
    digests = [_sha256(film.path) for film in films]
    names = _names(films, digests)
    return [
        HoldoutFilm(replace(film, patient_id=name), sha256)
        for film, sha256, name in zip(films, digests, names, strict=True)
    ]


def without_copies(candidates: Sequence[HoldoutFilm]) -> tuple[list[HoldoutFilm], int]:
    """Keep one of every film; where its labels contradict each other, none.

    Returns
    -------
    list and int
        The films, and how many are left out because of a contradiction.
    """
    said: dict[str, set[tuple[str, str]]] = {}
    for one in candidates:
        said.setdefault(one.sha256, set()).add((one.film.target, one.film.cause))
    # A test partition wins: whoever lists the film elsewhere does not make it one to learn from.
    ordered = sorted(candidates, key=lambda one: one.film.partition != "test")
    first = {one.sha256: one for one in reversed(ordered)}
    agreed = [one for one in first.values() if len(said[one.sha256]) == 1]
    kept = sorted(agreed, key=lambda one: str(one.film.path))
    return kept, len(first) - len(kept)


def divide(
    candidates: Sequence[HoldoutFilm], digests: Sequence[str], past: FilmHistory
) -> list[Side]:
    """Choose the side of every film, all films of a patient on the same.

    Parameters
    ----------
    digests
        Of the pixels: films that look the same count as one patient's.
    """
    groups = group_by_patient([one.film for one in candidates], digests)
    members: dict[int, list[HoldoutFilm]] = {}
    for group, candidate in zip(groups, candidates, strict=True):
        members.setdefault(group, []).append(candidate)
    sides = {group: _side(films, past) for group, films in members.items()}
    return [sides[group] for group in groups]


def write_films(path: Path, candidates: Sequence[HoldoutFilm], sides: Sequence[Side]) -> None:
    """Write the manifest that `train` learns from; what it must not learn from is its test part."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*MANIFEST_COLUMNS, "sha256", "side"))
        for one, side in zip(candidates, sides, strict=True):
            film = one.film
            partition = "train" if side is Side.LEARN else "test"
            row = (film.path, film.target, film.cause, film.patient_id, partition)
            writer.writerow((*row, one.sha256, side.value))


def read_films(path: Path, side: Side) -> list[HoldoutFilm]:
    """Read the films of one side from what `write_films` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["side"] == side.value]
    return [
        HoldoutFilm(
            LabelledFilm(Path(row["path"]), row["target"], row["cause"], row["patient_id"], ""),
            row["sha256"],
        )
        for row in rows
    ]


def _side(films: Sequence[HoldoutFilm], past: FilmHistory) -> Side:
    """Choose the side of one patient."""
    contents = {one.sha256 for one in films}
    if contents & past.tested or any(one.film.partition == "test" for one in films):
        return Side.NEITHER
    if contents & past.compared:
        return Side.COMPARE
    if contents & past.learned:
        return Side.LEARN
    if contents & past.unseen:
        return Side.COMPARE
    patient = min(one.film.patient_id for one in films)
    return Side.COMPARE if int(patient, 16) % KEPT_BACK == 0 else Side.LEARN


def _names(films: Sequence[LabelledFilm], digests: Sequence[str]) -> list[str]:
    """Name each patient by a digest; who shares a file shares the name."""
    apart = [
        replace(film, patient_id=f"test {film.patient_id}") if film.partition == "test" else film
        for film in films
    ]
    groups = group_by_patient(apart, digests)
    first: dict[int, str] = {}
    for group, film in sorted(zip(groups, apart, strict=True), key=lambda each: each[1].patient_id):
        first.setdefault(group, film.patient_id)
    return [hashlib.sha256(first[group].encode()).hexdigest()[:16] for group in groups]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error.strerror}.") from error
