"""Predictions of classifiers for labelled films, read one after another; no film is kept."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from tqdm import tqdm

from cxr_app.errors import FilmError, TrainingDataError
from cxr_app.evaluation.metrics import Booleans, Floats, bootstrap_interval
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model import screening
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import Prediction
from cxr_app.radiograph import Radiograph
from training.data.dataset import LabelledFilm

BATCH = 16
READERS = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FilmDetails:
    """Further properties of a film that could be read; texts are empty if unknown.

    Parameters
    ----------
    sha256
        Of the file.
    rejected
        Whether screening would have refused it.
    view_position, patient_sex, patient_age
        As in `radiograph.Header`.
    """

    sha256: str
    rejected: bool
    view_position: str = ""
    patient_sex: str = ""
    patient_age: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Films that could be read, with the predictions of one classifier.

    Parameters
    ----------
    films, facts
        In the same order.
    probabilities
        Shape ``(n, 3)``: normal, bacterial, viral; the last two NaN if the classifier does not
        distinguish causes.
    unreadable
        The films that could not be read; they are in no other field.
    """

    films: list[LabelledFilm]
    facts: list[FilmDetails]
    probabilities: Floats
    unreadable: list[LabelledFilm]

    @property
    def pneumonia(self) -> Floats:
        """Probability of pneumonia, ``(n,)``."""
        pneumonia: Floats = 1 - self.probabilities[:, 0]
        return pneumonia

    @property
    def truth(self) -> Booleans:
        """Which films show pneumonia, ``(n,)``."""
        return np.array([film.target == "PNEUMONIA" for film in self.films])

    @property
    def causes(self) -> list[str]:
        """``bacterial``, ``viral`` or empty, for each film."""
        return [film.cause for film in self.films]

    @property
    def patients(self) -> list[str]:
        """Patient of each film."""
        return [film.patient_id for film in self.films]

    def part(self, chosen: Booleans) -> Self:
        """Return the chosen films only."""
        places = np.flatnonzero(chosen)
        films = [self.films[place] for place in places]
        facts = [self.facts[place] for place in places]
        return replace(self, films=films, facts=facts, probabilities=self.probabilities[places])

    def estimate(self, figure: Callable[[Floats, Booleans], float]) -> dict[str, Any]:
        """Compute a figure of these films, with its interval by drawing patients.

        Parameters
        ----------
        figure
            Takes probabilities of pneumonia and the truth, each ``(n,)``.
        """
        pneumonia, truth = self.pneumonia, self.truth
        interval = bootstrap_interval(lambda i: figure(pneumonia[i], truth[i]), self.patients)
        return {"value": figure(pneumonia, truth), "ci95": interval}


def mean_with_interval(values: Floats, patients: Sequence[str]) -> dict[str, Any]:
    """Compute a mean over films, with its interval by drawing patients; NaN if there are none."""
    if not len(values):
        return {"value": math.nan, "ci95": (math.nan, math.nan)}
    interval = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)
    return {"value": float(values.mean()), "ci95": interval}


def score_films(
    classifiers: Sequence[Classifier], films: Sequence[LabelledFilm]
) -> list[Predictions]:
    """Predict the same films with every classifier, reading each film once.

    Raises
    ------
    TrainingDataError
        If none of the films can be read.
    """

    def prepare(radiograph: Radiograph) -> tuple[FilmDetails, list[NetworkInput]]:
        inputs = [classifier.prepare(radiograph.image) for classifier in classifiers]
        return _details(radiograph), inputs

    measured: list[LabelledFilm] = []
    facts: list[FilmDetails] = []
    rows: list[list[list[float]]] = [[] for _ in classifiers]
    unreadable: list[LabelledFilm] = []
    for batch in in_batches(read_each(films, prepare)):
        unreadable += [film for film, found in batch if found is None]
        sound = [(film, *found) for film, found in batch if found is not None]
        measured += [film for film, _, _ in sound]
        facts += _screened(classifiers[0], [(fact, inputs[0]) for _, fact, inputs in sound])
        for number, classifier in enumerate(classifiers):
            predictions = classifier.predict([inputs[number] for *_, inputs in sound])
            rows[number] += [_row(prediction) for prediction in predictions]
    if not measured:
        raise TrainingDataError("None of the films could be read.")
    return [Predictions(measured, facts, np.array(table), unreadable) for table in rows]


def read_each(
    films: Sequence[LabelledFilm], use: Callable[[Radiograph], T]
) -> Iterator[tuple[LabelledFilm, T | None]]:
    """Read films in order, a few ahead, and yield each with what `use` makes of it.

    None takes the place of a film that cannot be read.
    """

    def make(film: LabelledFilm) -> T | None:
        try:
            radiograph = read_radiograph(film.path.read_bytes())
        except (FilmError, OSError):
            return None
        return use(radiograph)

    with (
        ThreadPoolExecutor(READERS) as pool,
        tqdm(total=len(films), unit="film", disable=None) as progress,
    ):
        for some in in_batches(films):
            for film, made in zip(some, pool.map(make, some), strict=True):
                yield film, made
                progress.update()


def in_batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Yield items in batches of `size`; the last batch may be smaller."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _details(radiograph: Radiograph) -> FilmDetails:
    """Extract what the report needs of a film: no name, no date."""
    rejected = screening.screen(radiograph) is not None
    header = radiograph.header
    if header is None:
        return FilmDetails(radiograph.sha256, rejected)
    return FilmDetails(
        radiograph.sha256,
        rejected,
        header.view_position.strip().upper(),
        header.patient_sex.strip().upper(),
        header.patient_age,
    )


def _screened(
    classifier: Classifier, films: Sequence[tuple[FilmDetails, NetworkInput]]
) -> list[FilmDetails]:
    """Mark the films that would also be refused for the view they seem to show."""
    kinds = classifier.views([network_input for _, network_input in films])
    return [
        replace(fact, rejected=fact.rejected or screening.screen_view(kind).refusal is not None)
        for (fact, _), kind in zip(films, kinds, strict=True)
    ]


def _row(prediction: Prediction) -> list[float]:
    """Return a prediction as one row of `Predictions.probabilities`."""
    causes = (prediction.bacterial_probability, prediction.viral_probability)
    known = [math.nan if cause is None else cause for cause in causes]
    return [1 - prediction.pneumonia_probability, *known]
