"""How well adults are read, each film by the one member that has not learned from its patient."""

from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import Floats
from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.prediction import HeatScale, visible_extent
from training.data.dataset import LabelledFilm
from training.fit.crop_training.lesson_films import (
    ADULTS,
    BOX_SIDE,
    CERTAIN,
    GROWN_UP,
    NORMAL,
    FilmTable,
    Places,
)
from training.fit.crop_training.shift_calibration import (
    Readings,
    fit_log_odds,
    prevalence_weights,
    read_films,
)
from training.measure.extents import extent_figures
from training.measure.figures import measure_figures
from training.measure.pointing import pointing
from training.measure.predictions import FilmDetails, Predictions, boxed_extent


@dataclass(frozen=True, slots=True, eq=False)
class UnseenAdults:
    """Adults' films with radiologists' classes, read by a member that knows none of the patient's.

    Parameters
    ----------
    places
        ``(n,)``: of the films in their table.
    folds
        ``(n,)``: which member read each.
    readings
        Of the films, in the same order; not calibrated.
    sick
        ``(n,)``: opacity.
    is_certain
        ``(n,)``: opacity or normal; false for films that are abnormal without an opacity.
    """

    places: Places
    folds: NDArray[np.int64]
    readings: Readings
    sick: NDArray[np.bool_]
    is_certain: NDArray[np.bool_]

    @property
    def can_be_fitted(self) -> bool:
        """Whether each member has read films of both classes."""
        sick = [self.sick[self.is_certain & (self.folds == fold)] for fold in set(self.folds)]
        return bool(sick) and all(each.any() and not each.all() for each in sick)


def read_unseen_adults(network: LungCropNetwork, table: FilmTable) -> UnseenAdults:
    """Read each member's fold of adults by that member alone."""
    read_by_people = (table.sources == ADULTS) & table.is_read & (table.ages >= GROWN_UP)
    folds = [
        np.flatnonzero(read_by_people & (table.folds == fold))
        for fold in range(len(network.members))
    ]
    readings = [
        read_films(_alone(network, fold), table.pixels[places]) for fold, places in enumerate(folds)
    ]
    places = np.concatenate(folds)
    return UnseenAdults(
        places=places,
        folds=np.repeat(np.arange(len(folds)), [len(each) for each in folds]),
        readings=Readings.joined(readings),
        sick=table.targets[places] > NORMAL,
        is_certain=table.weights[places] >= CERTAIN,
    )


def fit_adults(unseen: UnseenAdults, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and offset of adults' log-odds on some of the films, for a share `PREVALENCE`."""
    sick = unseen.sick[chosen & unseen.is_certain]
    log_odds = unseen.readings.log_odds[chosen & unseen.is_certain]
    return fit_log_odds(log_odds, sick, prevalence_weights(sick))


def measure_adults(
    network: LungCropNetwork,
    table: FilmTable,
    unseen: UnseenAdults,
    threshold: float,
    scale: HeatScale,
) -> dict[str, Any]:
    """Measure opacity against normal, by view, the peak of the heat, and its extent.

    Parameters
    ----------
    network
        Calibrated; gives the calibration of children.
    threshold
        On the probability of pneumonia.
    scale
        Of the heatmap.

    Returns
    -------
    dict
        ``opacity_against_normal`` with the figures of `measure_figures` for ``all``, ``AP`` and
        ``PA``; ``not_normal_flagged``, the share flagged of films that are abnormal without an
        opacity; and the figures of `pointing` and `extent_figures`. Empty without films of both
        classes.
    """
    if not unseen.can_be_fitted or len(set(unseen.folds)) < 2:
        return {}
    readings = calibrated_by_others(network, unseen)
    probabilities = 1 / (1 + np.exp(-readings.log_odds))
    films = _labelled(table, unseen)
    views = table.views[unseen.places]
    groups = {"all": unseen.is_certain} | {
        view: unseen.is_certain & (views == view) for view in ("AP", "PA")
    }
    flagged = probabilities[~unseen.is_certain] >= threshold
    shown = Predictions(
        films=films,
        facts=[FilmDetails("", rejected=False, rows=BOX_SIDE, columns=BOX_SIDE)] * len(films),
        probabilities=_as_classes(probabilities),
        unreadable=[],
        peaks=readings.peak_places,
    )
    above = readings.cells - np.log(threshold / (1 - threshold))
    shown = replace(
        shown,
        extents=tuple(map(visible_extent, above, repeat(scale), readings.lungs)),
        boxed=tuple(map(boxed_extent, films, shown.facts, readings.lungs)),
    )
    return {
        "opacity_against_normal": {
            name: measure_figures(
                _as_classes(probabilities[chosen]),
                [films[place] for place in np.flatnonzero(chosen)],
                threshold,
            )
            for name, chosen in groups.items()
            if chosen.any()
        },
        "not_normal_flagged": float(flagged.mean()) if len(flagged) else None,
        "not_normal_films": len(flagged),
        **pointing(shown),
        **extent_figures(shown),
    }


def _alone(network: LungCropNetwork, member: int) -> LungCropNetwork:
    """Return a network, not calibrated, that answers by one member."""
    alone = LungCropNetwork((network.reads[member],))
    alone.lung_network, alone.members[0] = network.lung_network, network.members[member]
    return alone.eval()


def calibrated_by_others(network: LungCropNetwork, unseen: UnseenAdults) -> Readings:
    """Calibrate each member's films by what was fitted on the other members'.

    Returns
    -------
    Readings
        Whose log-odds and cells no label of a film's own fold has touched.
    """
    slope, offset = network.slope.double().numpy(), network.offset.double().numpy()
    slopes, offsets = np.zeros((2, len(unseen.places)))
    for fold in set(unseen.folds):
        own = unseen.folds == fold
        fitted = fit_adults(unseen, ~own)
        adult = unseen.readings.adult[own]
        slopes[own] = slope[0] + adult * (fitted[0] - slope[0])
        offsets[own] = offset[0] + adult * (fitted[1] - offset[0])
    cells = slopes[:, None, None] * unseen.readings.cells + offsets[:, None, None]
    log_odds = slopes * unseen.readings.log_odds + offsets
    return replace(unseen.readings, log_odds=log_odds, cells=cells.astype(np.float32))


def _as_classes(pneumonia: Floats) -> Floats:
    """Return probabilities ``(n, 3)``; causes of adults are unknown."""
    return np.column_stack([1 - pneumonia, pneumonia / 2, pneumonia / 2])


def _labelled(table: FilmTable, unseen: UnseenAdults) -> list[LabelledFilm]:
    return [
        LabelledFilm(
            path=Path(table.paths[place]),
            target="PNEUMONIA" if sick else "NORMAL",
            cause="",
            patient_id=str(table.patients[place]),
            partition="",
            boxes=str(table.boxes[place]),
        )
        for place, sick in zip(unseen.places, unseen.sick, strict=True)
    ]
