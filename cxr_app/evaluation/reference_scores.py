"""The scores of one checkpoint on labelled films: a small file beside the checkpoint.

The performance of the model is computed from it, so that the films themselves are not needed. The
file is anonymous: it has no file name, identifier or date, and is sorted by probability, so that
not even the order shows where a film comes from.
"""

import json
import math
from collections.abc import Mapping, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import ScoresError
from cxr_app.evaluation.metrics import Booleans, Floats
from cxr_app.evaluation.prior_shift import prior_change, with_change

FORMAT_VERSION = 1
TINY = 1e-12
DIGITS = 7
"""Decimal digits of a probability, finer than the precision of a network's weights."""
GROUPINGS = ("view_position", "patient_sex", "age_group")
"""Facts of a header by which films may be grouped, in addition to the cause."""
MAKE = (
    "Make it with `python -m training.evaluate --data DIR --partition validation "
    "--json report.json --scores FILE`, DIR being the films that it was trained from."
)


@dataclass(frozen=True, slots=True)
class FilmScores:
    """Scores of one checkpoint on films that nothing was fitted or chosen on.

    Parameters
    ----------
    model_version
        Version of the checkpoint that computed them.
    data, partition
        Which films these are.
    pneumonia, bacterial, viral
        Probabilities, each ``(n,)``; the last two NaN if the model does not distinguish causes.
    truth
        Which films show pneumonia, ``(n,)``.
    causes
        ``bacterial``, ``viral`` or empty, for each film.
    patients
        The patient of each film, ``(n,)``, as a number that is meaningless elsewhere.
    groups
        For each of `GROUPINGS`, the group of each film; empty if it is unknown.
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

    def at_prevalence(self, own: float, site: float) -> Self:
        """Return the same films with probabilities for another share of pneumonia."""
        moved = with_change(self.pneumonia, prior_change(own, site))
        factor = moved / np.maximum(self.pneumonia, TINY)
        return replace(
            self,
            pneumonia=moved,
            bacterial=self.bacterial * factor,
            viral=self.viral * factor,
        )

    def __post_init__(self) -> None:
        columns: list[Sized] = [self.pneumonia, self.bacterial, self.viral, self.truth]
        columns += [self.causes, self.patients, *self.groups.values()]
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise ValueError(f"every column must hold one value a film, got lengths {lengths}")
        if not ((self.pneumonia >= 0) & (self.pneumonia <= 1)).all():
            raise ValueError("probabilities of pneumonia must lie in [0, 1]")


_Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Film(BaseModel):
    """One film of the file; strict, because JSON has numbers and texts of its own."""

    model_config = ConfigDict(strict=True)

    patient: Annotated[int, Field(ge=0)]
    target: Literal["NORMAL", "PNEUMONIA"]
    cause: Literal["", "bacterial", "viral"]
    pneumonia_probability: _Probability
    bacterial_probability: _Probability | None
    viral_probability: _Probability | None
    view_position: str = ""
    patient_sex: str = ""
    age_group: str = ""


class _Document(BaseModel):
    """The whole file."""

    model_config = ConfigDict(strict=True)

    format_version: Literal[1]
    model_version: str
    data: str
    partition: str
    films: Annotated[list[_Film], Field(min_length=1)]


def scores_path(checkpoint: Path) -> Path:
    """Return the path of the file that belongs to a checkpoint."""
    return checkpoint.with_suffix(".scores.json")


def write(path: Path, scores: FilmScores) -> None:
    """Write the file atomically, one film a line."""
    facts = {
        "format_version": FORMAT_VERSION,
        "model_version": scores.model_version,
        "data": scores.data,
        "partition": scores.partition,
    }
    head = json.dumps(facts, indent=1).removesuffix("\n}")
    films = ",\n".join(f"  {json.dumps(film)}" for film in _rows(scores))
    atomic_write(path, f'{head},\n "films": [\n{films}\n ]\n}}\n')


def read(path: Path, model_version: str) -> FilmScores:
    """Read the file of one checkpoint.

    Raises
    ------
    ScoresError
        If there is none, if a value is missing or wrong, or if another version made it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScoresError(
            f"There is no readable {path.name} beside the checkpoint. {MAKE}"
        ) from error
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        problem = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise ScoresError(f"{path.name} cannot be used ({problem}). {MAKE}") from error
    if document.model_version != model_version:
        raise ScoresError(
            f"{path.name} was made by {document.model_version}, and the checkpoint is "
            f"{model_version}: the figures of one model do not hold for another. {MAKE}"
        )
    return _scores(document)


def _rows(scores: FilmScores) -> list[dict[str, Any]]:
    """Return the films by rising probability, with patients numbered in this order."""
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
    """Replace NaN by None; JSON has no NaN."""
    return None if math.isnan(probability) else round(float(probability), DIGITS)


def _scores(document: _Document) -> FilmScores:
    """Arrange the films in columns."""
    films = document.films
    causes = [(film.bacterial_probability, film.viral_probability) for film in films]
    bacterial, viral = np.array(causes, dtype=np.float64).T  # None becomes NaN
    return FilmScores(
        model_version=document.model_version,
        data=document.data,
        partition=document.partition,
        pneumonia=np.array([film.pneumonia_probability for film in films]),
        bacterial=bacterial,
        viral=viral,
        truth=np.array([film.target == "PNEUMONIA" for film in films]),
        causes=tuple(film.cause for film in films),
        patients=np.array([film.patient for film in films]),
        groups={name: tuple(getattr(film, name) for film in films) for name in GROUPINGS},
    )
