"""Which films a challenger is trained on, and which are held out to compare it on.

The side of a patient does not depend on the other films. The same patient is held out in every
retraining, so that no challenger was trained on films that a later one is compared on.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from cxr_app.errors import TrainingDataError
from training.data.dataset import MANIFEST_COLUMNS, LabelledFilm
from training.data.splits import group_by_patient

TARGETS = ("NORMAL", "PNEUMONIA")
ONE_IN = 5
"""One patient in this number is held out, unless the history of the films decides."""
HELD_IF_FEW = 2
"""How many of that number are held out if one would leave fewer than `WANTED` films of a class."""
WANTED = 100
"""Films of each class to compare on that make do with one patient in five."""


class Side(Enum):
    """What a film is used for."""

    LEARN = "learn"
    COMPARE = "compare"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class FilmHistory:
    """What films were used for before, by SHA-256.

    Parameters
    ----------
    tested
        Measured as a test partition; not used here.
    compared
        An earlier challenger was compared on them; always held out.
    learned, unseen
        The model in use was trained on them, or is known not to have been.
    """

    tested: AbstractSet[str] = frozenset()
    compared: AbstractSet[str] = frozenset()
    learned: AbstractSet[str] = frozenset()
    unseen: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HoldoutFilm:
    """A film chosen for a retraining, and the SHA-256 of its file."""

    film: LabelledFilm
    sha256: str


def read_candidates(sources: Iterable[Sequence[LabelledFilm]]) -> list[HoldoutFilm]:
    """Combine the films of several sources, with pseudonyms for the patients.

    A patient identifier means the same person in all sources, so that films of one patient stay on
    one side. A test partition of a folder numbers its patients independently.

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


def without_copies(
    candidates: Sequence[HoldoutFilm],
) -> tuple[list[HoldoutFilm], dict[str, int]]:
    """Keep one copy of every film; none if the labels of the copies contradict each other.

    Returns
    -------
    list and dict
        The films, and the numbers left out: ``contradicting`` films, and further ``copies``.
    """
    labels: dict[str, set[tuple[str, str]]] = {}
    for one in candidates:
        labels.setdefault(one.sha256, set()).add((one.film.target, one.film.cause))
    # A test partition takes precedence: the film is not trained on if it is also listed elsewhere.
    ordered = sorted(candidates, key=lambda one: one.film.partition != "test")
    first = {one.sha256: one for one in reversed(ordered)}
    agreed = [one for one in first.values() if len(labels[one.sha256]) == 1]
    kept = sorted(agreed, key=lambda one: str(one.film.path))
    left_out = {
        "contradicting": len(first) - len(kept),
        "copies": len(candidates) - len(first),
    }
    return kept, left_out


def divide(
    candidates: Sequence[HoldoutFilm], digests: Sequence[str], history: FilmHistory
) -> list[Side]:
    """Choose the side of every film; all films of a patient are on the same side.

    More patients are held out if few films would be; those held out otherwise are among them.

    Parameters
    ----------
    digests
        Of the pixels; films with the same pixels count as one patient's.
    """
    groups = group_by_patient([one.film for one in candidates], digests)
    members: dict[int, list[HoldoutFilm]] = {}
    for group, candidate in zip(groups, candidates, strict=True):
        members.setdefault(group, []).append(candidate)
    sides = {group: _side(films, history, 1) for group, films in members.items()}
    held_out = Counter(
        one.film.target
        for group, films in members.items()
        if sides[group] is Side.COMPARE
        for one in films
    )
    if min(held_out[target] for target in TARGETS) < WANTED:
        sides = {group: _side(films, history, HELD_IF_FEW) for group, films in members.items()}
    return [sides[group] for group in groups]


def write_films(path: Path, candidates: Sequence[HoldoutFilm], sides: Sequence[Side]) -> None:
    """Write the manifest for training; films that are not trained on are its test partition."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*MANIFEST_COLUMNS, "sha256", "side"))
        for one, side in zip(candidates, sides, strict=True):
            film = one.film
            partition = "train" if side is Side.LEARN else "test"
            row = (film.path, film.target, film.cause, film.patient_id, partition)
            writer.writerow((*row, one.sha256, side.value))


def read_side(path: Path, side: Side) -> list[HoldoutFilm]:
    """Read the films of one side from the manifest that `write_films` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["side"] == side.value]
    return [
        HoldoutFilm(
            LabelledFilm(Path(row["path"]), row["target"], row["cause"], row["patient_id"], ""),
            row["sha256"],
        )
        for row in rows
    ]


def _side(films: Sequence[HoldoutFilm], history: FilmHistory, held: int) -> Side:
    """Choose the side of one patient; of `ONE_IN`, this many are held out."""
    contents = {one.sha256 for one in films}
    if contents & history.tested or any(one.film.partition == "test" for one in films):
        return Side.NEITHER
    if contents & history.compared:
        return Side.COMPARE
    if contents & history.learned:
        return Side.LEARN
    if contents & history.unseen:
        return Side.COMPARE
    patient = min(one.film.patient_id for one in films)
    return Side.COMPARE if int(patient, 16) % ONE_IN < held else Side.LEARN


def _names(films: Sequence[LabelledFilm], digests: Sequence[str]) -> list[str]:
    """Return each patient's pseudonym; patients that share a file share the pseudonym."""
    separated = [
        replace(film, patient_id=f"test {film.patient_id}") if film.partition == "test" else film
        for film in films
    ]
    groups = group_by_patient(separated, digests)
    first: dict[int, str] = {}
    for group, film in sorted(
        zip(groups, separated, strict=True), key=lambda each: each[1].patient_id
    ):
        first.setdefault(group, film.patient_id)
    return [hashlib.sha256(first[group].encode()).hexdigest()[:16] for group in groups]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error.strerror}.") from error
