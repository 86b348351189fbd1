"""The heatmap, measured: whether the score hangs on it, and whether it is learned and steady.

What is about marked places is measured on flagged films, because only there a reader is shown
heat that speaks for a flag; steadiness is measured on all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cxr_app.errors import TrainingDataError
from cxr_app.evaluation.metrics import Floats
from cxr_app.model.activation_map import HeatArray, on_film
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import ActivationMap
from cxr_app.radiograph import Image
from training.data.dataset import LabelledFilm
from training.explain import body_mask, faithfulness, stability
from training.explain.cams import build_explainer
from training.explain.randomisation import PARTS, SEEDS, randomised
from training.explain.stability import FilmStability
from training.measure.figures import nan_to_none
from training.measure.metrics import mean_of
from training.measure.predictions import Predictions, read_each

OURS = "heatmap"
BASELINES = ("random", "centred blob")


@dataclass(frozen=True, slots=True)
class FlaggedFilm:
    """What a flagged film tells of its map.

    Parameters
    ----------
    patient_id
        Whose film it is.
    curves
        Deletion and insertion by map, of `OURS` and the rivals.
    alike
        Similarity to the maps of partly random networks, by part; one for each seed.
    outside
        Share of the heat, and of the film, that lies outside the body; None without heat.
    """

    patient_id: str
    curves: Mapping[str, tuple[Floats, Floats]]
    alike: Mapping[str, Sequence[float]]
    outside: tuple[float, float] | None


class Examiner:
    """Examines films one by one and keeps what they tell.

    Parameters
    ----------
    source
        The checkpoint.
    method
        One of `cams.METHODS`.
    device
        Where to run.
    clear
        The film that hides places of others.
    """

    def __init__(self, source: Checkpoint, method: str, device: str, clear: Image) -> None:
        self.ours = build_explainer(source, device, method)
        self.random = {
            part: [
                build_explainer(randomised(source, part, seed), device, method)
                for seed in range(SEEDS)
            ]
            for part in PARTS
        }
        self.clear = self.ours.classifier.prepare(clear)
        self.steady: list[FilmStability] = []
        self.marked: list[FlaggedFilm] = []
        self._generator = np.random.default_rng(0)

    def examine(self, film: LabelledFilm, image: Image) -> None:
        """Examine one film; what is about marked places only if it is flagged."""
        prepared = self.ours.classifier.prepare(image)
        plain = self.ours.explain([prepared])
        self.steady.append(stability.measure_stability(self.ours, image, plain))
        if plain.pneumonia[0] >= self.ours.classifier.operating_points["balanced"].threshold:
            self.marked.append(self._marked(film.patient_id, image, prepared, plain.maps[0]))

    def _marked(
        self, patient_id: str, image: Image, prepared: NetworkInput, found: ActivationMap
    ) -> FlaggedFilm:
        maps = {OURS: found, **faithfulness.baseline_maps(found.shape, self._generator)}
        followed = {
            name: faithfulness.deletion_and_insertion(
                self.ours.score, prepared, self.clear, each, self._generator
            )
            for name, each in maps.items()
        }
        alike = {
            part: [stability.similarity(found, e.explain([prepared]).maps[0]) for e in explainers]
            for part, explainers in self.random.items()
        }
        outside = heat_outside(self.ours.heat(found), image)
        return FlaggedFilm(patient_id, followed, alike, outside)


def measure_explanations(
    source: Checkpoint, scored: Predictions, *, method: str, device: str, films: int
) -> dict[str, Any]:
    """Measure the maps of one method.

    Parameters
    ----------
    scored
        The films, as this checkpoint scored them; so many are drawn from these.
    method
        One of `cams.METHODS`.

    Returns
    -------
    dict
        Ready for JSON.
    """
    places = np.random.default_rng(0).permutation(len(scored.films))[:films]
    clearest = int(np.argmin(scored.pneumonia))
    ((_, clear),) = read_each([scored.films[clearest]], lambda radiograph: radiograph.image)
    if clear is None:
        raise TrainingDataError("A film that was just read cannot be read any more. Try again.")
    examiner = Examiner(source, method, device, clear)
    chosen = [scored.films[place] for place in np.sort(places)]
    for film, image in read_each(chosen, lambda radiograph: radiograph.image):
        if image is not None:
            examiner.examine(film, image)
    return {"method": method, **explanation_summary(examiner.steady, examiner.marked)}


def heat_outside(heat: HeatArray, image: Image) -> tuple[float, float] | None:
    """Give the share of the heat, and of the film, that lies outside the body; None without heat.

    A map that knows nothing would have the second share of its heat there.
    """
    if not heat.any():
        return None
    empty = body_mask.outside_body(image)
    spread = on_film(heat, *empty.shape)
    return float(spread[empty].sum() / spread.sum()), float(empty.mean())


def explanation_summary(
    steady: Sequence[FilmStability], marked: Sequence[FlaggedFilm]
) -> dict[str, Any]:
    """Put the films together: means over films, with intervals by drawing patients."""

    def over(
        value: Callable[[FlaggedFilm], float], films: Sequence[FlaggedFilm] = marked
    ) -> dict[str, Any]:
        told_by = np.array([value(film) for film in films])
        return mean_of(told_by, [film.patient_id for film in films])

    hot = [film for film in marked if film.outside]
    found = {
        "films": len(steady),
        "flagged_films": len(marked),
        "faithfulness": {
            kind: [
                {
                    "map": name,
                    "area": over(partial(_area, name=name, which=which)),
                    "heatmap_less_this": over(partial(_gap, name=name, which=which)),
                    "curve": _mean_curve(marked, name, which),
                }
                for name in (OURS, *BASELINES)
            ]
            for which, kind in enumerate(("deletion", "insertion"))
        },
        "weight_randomisation": [
            {"part": part, "similarity": over(partial(_alike, part=part))} for part in PARTS
        ],
        "stability": stability.stability_summary(steady) if steady else [],
        "outside_body": {
            "films": len(hot),
            "share_of_heat": over(lambda film: film.outside[0] if film.outside else 0.0, hot),
            "share_of_film": over(lambda film: film.outside[1] if film.outside else 0.0, hot),
        },
    }
    return dict(nan_to_none(found))


def _area(film: FlaggedFilm, name: str, which: int) -> float:
    return faithfulness.area(film.curves[name][which])


def _gap(film: FlaggedFilm, name: str, which: int) -> float:
    return _area(film, OURS, which) - _area(film, name, which)


def _alike(film: FlaggedFilm, part: str) -> float:
    return float(np.mean(film.alike[part]))


def _mean_curve(marked: Sequence[FlaggedFilm], name: str, which: int) -> list[float]:
    """Average the films' curves; empty where there are none."""
    if not marked:
        return []
    mean: list[float] = np.mean([film.curves[name][which] for film in marked], axis=0).tolist()
    return mean
