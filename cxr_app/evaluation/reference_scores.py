"""Films with a known truth and what one checkpoint says of them: a small file beside it.

What the model is worth is reckoned from it wherever the checkpoint goes, without the films. It
names nobody: no file, no identifier, no date; films lie in order of probability, so that not even
the order tells where they come from.
"""

import json
import math
from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import ScoresError
from cxr_app.evaluation.metrics import Booleans, Floats

FORMAT_VERSION = 1
DIGITS = 7
"""Of a probability: finer than a network of half-precision weights can tell."""
GROUPINGS = ("view_position", "patient_sex", "age_group")
"""What films may be grouped by beside their cause, where a header told."""
MAKE = (
    "Make it with `python -m training.evaluate --data DIR --partition validation "
    "--json report.json --scores FILE`, DIR being the films that it was trained from."
)


@dataclass(frozen=True, slots=True)
class FilmScores:
    """Films that nothing was fitted or chosen on, and what one checkpoint says of them.

    Parameters
    ----------
    model_version
        Of the checkpoint that spoke.
    data, partition
        Which films these are.
    pneumonia, bacterial, viral
        Probabilities, each ``(n,)``; the last two NaN from a model that does not tell causes apart.
    truth
        Which films show pneumonia, ``(n,)``.
    causes
        ``bacterial``, ``viral`` or empty, of each film.
    patients
        Whose film each is, as a number that means nothing elsewhere, ``(n,)``.
    groups
        By `GROUPINGS`: the group of each film, empty where it is not known.
    """

    model_version: str
    data: str
    partition: str
    pneumonia: Floats
    bacterial: Floats
    viral: Floats
    truth: Booleans
    causes: tuple[str, ...]
    patients: NDArray[np.int_]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns: list[Sized] = [self.pneumonia, self.bacterial, self.viral, self.truth]
        columns += [self.causes, self.patients, *self.groups.values()]
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise ValueError(f"every column must hold one value a film, got lengths {lengths}")
        if not ((self.pneumonia >= 0) & (self.pneumonia <= 1)).all():
            raise ValueError("probabilities of pneumonia must lie in [0, 1]")


def scores_path(checkpoint: Path) -> Path:
    """Name the file that belongs to a checkpoint."""
    return checkpoint.with_suffix(".scores.json")


def write(path: Path, scores: FilmScores) -> None:
    """Write the file at once or not at all, one film a line."""
    told = {
        "format_version": FORMAT_VERSION,
        "model_version": scores.model_version,
        "data": scores.data,
        "partition": scores.partition,
    }
    head = json.dumps(told, indent=1).removesuffix("\n}")
    films = ",\n".join(f"  {json.dumps(film)}" for film in _rows(scores))
    atomic_write(path, f'{head},\n "films": [\n{films}\n ]\n}}\n')


def read(path: Path, model_version: str) -> FilmScores:
    """Read the file of one checkpoint.

    Raises
    ------
    ScoresError
        If there is none, if it is damaged, or if another version made it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScoresError(
            f"There is no readable {path.name} beside the checkpoint. {MAKE}"
        ) from error
    try:
        scores = _scores(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScoresError(f"{path.name} is not whole ({error!r}). {MAKE}") from error
    if scores.model_version != model_version:
        raise ScoresError(
            f"{path.name} was made by {scores.model_version}, and the checkpoint is "
            f"{model_version}: figures of one say nothing of another. {MAKE}"
        )
    return scores


def _rows(scores: FilmScores) -> list[dict[str, Any]]:
    """Yield films, the least probable first, with patients numbered in this order."""
    order = np.argsort(scores.pneumonia, kind="stable")
    numbers: dict[int, int] = {}
    rows = []
    for place in order:
        patient = numbers.setdefault(int(scores.patients[place]), len(numbers))
        row: dict[str, Any] = {
            "patient": patient,
            "target": "PNEUMONIA" if scores.truth[place] else "NORMAL",
            "cause": scores.causes[place],
            "pneumonia_probability": round(float(scores.pneumonia[place]), DIGITS),
            "bacterial_probability": _nan_to_none(scores.bacterial[place]),
            "viral_probability": _nan_to_none(scores.viral[place]),
        }
        known = {name: values[place] for name, values in scores.groups.items() if values[place]}
        rows.append(row | known)
    return rows


def _nan_to_none(probability: float) -> float | None:
    """Replace unknown values by None."""
    return None if math.isnan(probability) else round(float(probability), DIGITS)


def _scores(document: Mapping[str, Any]) -> FilmScores:
    """Build the scores from their JSON form."""
    if document["format_version"] != FORMAT_VERSION:
        raise ValueError(f"its format version is {document['format_version']}")
    films = document["films"]
    if not films:
        raise ValueError("it holds no film")
    targets = [film["target"] for film in films]
    if unknown := set(targets) - {"NORMAL", "PNEUMONIA"}:
        raise ValueError(f"it holds the targets {sorted(unknown)}")

    def column(name: str) -> Floats:
        values = [math.nan if film[name] is None else film[name] for film in films]
        return np.array(values, dtype=np.float64)

    return FilmScores(
        model_version=document["model_version"],
        data=document["data"],
        partition=document["partition"],
        pneumonia=column("pneumonia_probability"),
        bacterial=column("bacterial_probability"),
        viral=column("viral_probability"),
        truth=np.array([target == "PNEUMONIA" for target in targets]),
        causes=tuple(str(film["cause"]) for film in films),
        patients=np.array([int(film["patient"]) for film in films]),
        groups={name: tuple(str(film.get(name, "")) for film in films) for name in GROUPINGS},
    )
