"""Quality of the heatmap: whether it is faithful to the score, learned, and stable.

Faithfulness, weight randomisation and the places of heat are measured on flagged films, because
only there the heat is shown as the reason for a flag; halves, on those of them with pneumonia.
Stability is measured on all films.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from cxr_app.errors import TrainingDataError
from cxr_app.evaluation.metrics import Floats
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import ActivationMap
from cxr_app.radiograph import Image
from training.data.dataset import LabelledFilm
from training.explain import faithfulness, stability
from training.explain.cams import build_explainer
from training.explain.half_films import HALVES, HeatInHalf, heat_in_halves
from training.explain.heat_places import HeatInLungs, heat_in_lungs, heat_outside
from training.explain.randomisation import PARTS, SEEDS, randomised
from training.explain.stability import FilmStability
from training.measure.figures import nan_to_none
from training.measure.predictions import Predictions, mean_with_interval, read_each

OURS = "heatmap"
BASELINES = ("random", "centred blob")
PARTNERS = 16
"""Films without pneumonia, half of which is put beside half of one with it."""


@dataclass(frozen=True, slots=True)
class FlaggedFilm:
    """Measurements of the map of a flagged film.

    Parameters
    ----------
    patient_id
        Patient of the film.
    curves
        Deletion and insertion curves, by map: `OURS` and the baselines.
    similarity
        To the maps of partly random networks, by part; one value a seed.
    outside
        Share of the heat, and of the film, outside the body; None if there is no heat.
    inside
        Heat against the lungs; None if there is no heat or no two lungs were found.
    halves
        Heat of films of which this is one half, by `HALVES`; empty for a film without pneumonia.
    """

    patient_id: str
    curves: Mapping[str, tuple[Floats, Floats]]
    similarity: Mapping[str, Sequence[float]]
    outside: tuple[float, float] | None
    inside: HeatInLungs | None = None
    halves: Mapping[str, Sequence[HeatInHalf | None]] = field(default_factory=dict)


class Examiner:
    """Measures the maps of films one by one and collects the results.

    Parameters
    ----------
    source
        The checkpoint.
    method
        One of `cams.METHODS`.
    device
        As `choose_device` takes it.
    clear
        The film whose pixels hide places of other films.
    partners
        Films without pneumonia; each in its turn is put beside one with it.
    """

    def __init__(
        self,
        source: Checkpoint,
        method: str,
        device: str,
        clear: Image,
        partners: Sequence[Image] = (),
    ) -> None:
        self.ours = build_explainer(source, device, method)
        self.random = {
            part: [
                build_explainer(randomised(source, part, seed), device, method)
                for seed in range(SEEDS)
            ]
            for part in PARTS
        }
        self.clear = self.ours.classifier.prepare(clear)
        self._partners = cycle([self.ours.classifier.prepare(each) for each in partners])
        self.stability: list[FilmStability] = []
        self.flagged: list[FlaggedFilm] = []
        self._generator = np.random.default_rng(0)

    def examine(self, film: LabelledFilm, image: Image) -> None:
        """Measure the map of one film; everything except stability only if it is flagged."""
        prepared = self.ours.classifier.prepare(image)
        plain = self.ours.explain([prepared])
        self.stability.append(stability.measure_stability(self.ours, image, plain))
        if plain.pneumonia[0] >= self.ours.classifier.operating_points["balanced"].threshold:
            self.flagged.append(self._measure_flagged(film, image, prepared, plain.maps[0]))

    def _measure_flagged(
        self, film: LabelledFilm, image: Image, prepared: NetworkInput, found: ActivationMap
    ) -> FlaggedFilm:
        maps = {OURS: found, **faithfulness.baseline_maps(found.shape, self._generator)}
        curves = {
            name: faithfulness.deletion_and_insertion(
                self.ours.score, prepared, self.clear, each, self._generator
            )
            for name, each in maps.items()
        }
        similarity = {
            part: [stability.similarity(found, e.explain([prepared]).maps[0]) for e in explainers]
            for part, explainers in self.random.items()
        }
        heat = self.ours.heat(found)
        (prediction,) = self.ours.classifier.predict([prepared])
        inside = heat_in_lungs(heat, prediction.lungs)
        outside = heat_outside(heat, image)
        halves = self._measure_halves(prepared) if film.target == "PNEUMONIA" else {}
        return FlaggedFilm(film.patient_id, curves, similarity, outside, inside, halves)

    def _measure_halves(self, prepared: NetworkInput) -> Mapping[str, Sequence[HeatInHalf | None]]:
        partner = next(self._partners, None)
        return {} if partner is None else heat_in_halves(self.ours, prepared, partner)


def measure_explanations(
    source: Checkpoint, scored: Predictions, *, method: str, device: str, films: int
) -> dict[str, Any]:
    """Measure the maps of one method.

    Parameters
    ----------
    scored
        The films, as this checkpoint scored them; `films` of them are drawn.
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
        raise TrainingDataError("A film that was just read can no longer be read. Try again.")
    examiner = Examiner(source, method, device, clear, _partners(scored.films))
    chosen = [scored.films[place] for place in np.sort(places)]
    for film, image in read_each(chosen, lambda radiograph: radiograph.image):
        if image is not None:
            examiner.examine(film, image)
    return {"method": method, **explanation_summary(examiner.stability, examiner.flagged)}


def _partners(films: Sequence[LabelledFilm]) -> list[Image]:
    """Read some films without pneumonia."""
    normal = [film for film in films if film.target == "NORMAL"]
    drawn = np.random.default_rng(0).permutation(len(normal))[:PARTNERS]
    read = read_each([normal[place] for place in drawn], lambda radiograph: radiograph.image)
    return [image for _, image in read if image is not None]


def explanation_summary(
    stability_of_films: Sequence[FilmStability], flagged: Sequence[FlaggedFilm]
) -> dict[str, Any]:
    """Compute means over films, with intervals by drawing patients."""

    def over(
        value: Callable[[FlaggedFilm], float],
        films: Sequence[FlaggedFilm] = flagged,
        *,
        share: bool = False,
    ) -> dict[str, Any]:
        values = np.array([value(film) for film in films])
        return mean_with_interval(values, [film.patient_id for film in films], share=share)

    hot = [film for film in flagged if film.outside]
    in_lungs = [film for film in flagged if film.inside]
    found = {
        "films": len(stability_of_films),
        "flagged_films": len(flagged),
        "faithfulness": {
            kind: [
                {
                    "map": name,
                    "area": over(partial(_area, name=name, which=which)),
                    "heatmap_less_this": over(partial(_gap, name=name, which=which)),
                    "curve": _mean_curve(flagged, name, which),
                }
                for name in (OURS, *BASELINES)
            ]
            for which, kind in enumerate(("deletion", "insertion"))
        },
        "weight_randomisation": [
            {"part": part, "similarity": over(partial(_mean_similarity, part=part))}
            for part in PARTS
        ],
        "stability": stability.stability_summary(stability_of_films) if stability_of_films else [],
        "outside_body": {
            "films": len(hot),
            "share_of_heat": over(lambda film: film.outside[0] if film.outside else 0.0, hot),
            "share_of_film": over(lambda film: film.outside[1] if film.outside else 0.0, hot),
        },
        "inside_lungs": {
            "films": len(in_lungs),
            **{
                name: over(partial(_in_lungs, name=name), in_lungs, share=True)
                for name in ("share_of_heat", "share_of_film", "peak")
            },
        },
        "half_films": [
            {
                "half": name,
                "films": sum(len(film.halves.get(name, ())) for film in flagged),
                "with_heat": sum(len(_hot_halves(film, name)) for film in flagged),
                **{
                    figure: over(
                        partial(_in_halves, name=name, figure=figure),
                        [film for film in flagged if _hot_halves(film, name)],
                        share=True,
                    )
                    for figure in ("share", "peak")
                },
            }
            for name in HALVES
        ],
    }
    return dict(nan_to_none(found))


def _area(film: FlaggedFilm, name: str, which: int) -> float:
    return faithfulness.area(film.curves[name][which])


def _gap(film: FlaggedFilm, name: str, which: int) -> float:
    return _area(film, OURS, which) - _area(film, name, which)


def _in_lungs(film: FlaggedFilm, name: str) -> float:
    return float(getattr(film.inside, name))


def _hot_halves(film: FlaggedFilm, name: str) -> list[HeatInHalf]:
    return [half for half in film.halves.get(name, ()) if half is not None]


def _in_halves(film: FlaggedFilm, name: str, figure: str) -> float:
    return float(np.mean([getattr(half, figure) for half in _hot_halves(film, name)]))


def _mean_similarity(film: FlaggedFilm, part: str) -> float:
    return float(np.mean(film.similarity[part]))


def _mean_curve(flagged: Sequence[FlaggedFilm], name: str, which: int) -> list[float]:
    """Average the films' curves; empty if there are none."""
    if not flagged:
        return []
    mean: list[float] = np.mean([film.curves[name][which] for film in flagged], axis=0).tolist()
    return mean
