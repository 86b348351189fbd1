"""Predictions of classifiers for labelled films, read one after another; no film is kept."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from tqdm import tqdm

from cxr_app.errors import FilmError, TrainingDataError
from cxr_app.evaluation.intervals import clopper_pearson, figure_interval
from cxr_app.evaluation.metrics import Booleans, Floats, bootstrap_interval
from cxr_app.imaging.intake import read_radiograph
from cxr_app.lung_fields import Extent, LungFields, extent_of
from cxr_app.model import screening
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import Prediction
from cxr_app.radiograph import Radiograph
from training.data.dataset import LabelledFilm
from training.measure.boxes import boxes_of, drawn

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
    rows, columns
        Of the film.
    """

    sha256: str
    rejected: bool
    view_position: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    rows: int = 0
    columns: int = 0


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
    peaks
        Where the heat is largest, ``(n, 2)``: x and y as fractions of the film; None if unknown.
    extents
        How much of the lungs the heat marks; None for a film without two lungs. Empty if unknown.
    boxed
        The same of radiologists' boxes; None for a film without boxes, too.
    """

    films: list[LabelledFilm]
    facts: list[FilmDetails]
    probabilities: Floats
    unreadable: list[LabelledFilm]
    peaks: Floats | None = None
    extents: tuple[Extent | None, ...] = ()
    boxed: tuple[Extent | None, ...] = ()

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
        peaks = None if self.peaks is None else self.peaks[places]
        return replace(
            self,
            films=films,
            facts=facts,
            probabilities=self.probabilities[places],
            peaks=peaks,
            extents=tuple(self.extents[place] for place in places) if self.extents else (),
            boxed=tuple(self.boxed[place] for place in places) if self.boxed else (),
        )

    def estimate(self, figure: Callable[[Floats, Booleans], float]) -> dict[str, Any]:
        """Compute a figure of these films, in ``[0, 1]``, with its interval.

        Parameters
        ----------
        figure
            Takes probabilities of pneumonia and the truth, each ``(n,)``.
        """
        pneumonia, truth = self.pneumonia, self.truth
        interval = figure_interval(figure, pneumonia, truth, self.patients)
        return {"value": figure(pneumonia, truth), "ci95": interval}


def mean_with_interval(
    values: Floats, patients: Sequence[str], *, share: bool = False
) -> dict[str, Any]:
    """Compute a mean over films, with its interval by drawing patients; NaN if there are none.

    Parameters
    ----------
    share
        Whether it is a share: the interval of values that are all 0 or all 1 does not vanish.
    """
    if not len(values):
        return {"value": math.nan, "ci95": (math.nan, math.nan)}
    low, high = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)
    if share and low == high and low in (0.0, 1.0):
        count = len(set(patients))
        low, high = clopper_pearson(low * count, count)
    return {"value": float(values.mean()), "ci95": (low, high)}


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
    peaks: list[list[tuple[float, float]]] = [[] for _ in classifiers]
    extents: list[list[Extent | None]] = [[] for _ in classifiers]
    boxed: list[list[Extent | None]] = [[] for _ in classifiers]
    unreadable: list[LabelledFilm] = []
    for batch in in_batches(read_each(films, prepare)):
        unreadable += [film for film, found in batch if found is None]
        sound = [(film, *found) for film, found in batch if found is not None]
        measured += [film for film, _, _ in sound]
        known = [(_with_label(film, fact), inputs[0]) for film, fact, inputs in sound]
        facts += _screened(classifiers[0], known)
        for number, classifier in enumerate(classifiers):
            predictions = classifier.predict([inputs[number] for *_, inputs in sound])
            rows[number] += [_row(prediction) for prediction in predictions]
            peaks[number] += [_peak(prediction) for prediction in predictions]
            extents[number] += [prediction.extent for prediction in predictions]
            boxed[number] += [
                boxed_extent(film, fact, prediction.lungs)
                for (film, fact, _), prediction in zip(sound, predictions, strict=True)
            ]
    if not measured:
        raise TrainingDataError("None of the films could be read.")
    return [
        Predictions(measured, facts, np.array(table), unreadable, np.array(places), *map(tuple, of))
        for table, places, *of in zip(rows, peaks, extents, boxed, strict=True)
    ]


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
    found = FilmDetails(
        radiograph.sha256, rejected, rows=radiograph.rows, columns=radiograph.columns
    )
    header = radiograph.header
    if header is None:
        return found
    return replace(
        found,
        view_position=header.view_position.strip().upper(),
        patient_sex=header.patient_sex.strip().upper(),
        patient_age=header.patient_age,
    )


def _with_label(film: LabelledFilm, details: FilmDetails) -> FilmDetails:
    """Fill what a header does not say from the film's label."""
    age = f"{int(film.age):03}Y" if film.age.isdecimal() else ""
    return replace(
        details,
        view_position=details.view_position or film.view.upper(),
        patient_sex=details.patient_sex or film.sex.upper(),
        patient_age=details.patient_age or age,
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


def boxed_extent(
    film: LabelledFilm, details: FilmDetails, lungs: LungFields | None
) -> Extent | None:
    """Measure how much of the lungs a film's boxes cover; None without boxes or two lungs."""
    if lungs is None or not film.boxes:
        return None
    boxes = boxes_of(film.boxes, details.rows, details.columns)
    return extent_of(lungs, drawn(boxes, lungs.mask.shape[0]))


def _peak(prediction: Prediction) -> tuple[float, float]:
    """Return the middle of the hottest cell, x and y as fractions of the film."""
    cells = prediction.activation_map
    row, column = np.unravel_index(int(cells.argmax()), cells.shape)
    return (float(column) + 0.5) / cells.shape[1], (float(row) + 0.5) / cells.shape[0]


def _row(prediction: Prediction) -> list[float]:
    """Return a prediction as one row of `Predictions.probabilities`."""
    causes = (prediction.bacterial_probability, prediction.viral_probability)
    known = [math.nan if cause is None else cause for cause in causes]
    return [1 - prediction.pneumonia_probability, *known]
