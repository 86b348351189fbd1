"""How far the lungs that a checkpoint finds are those that people outlined."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.lung_fields import Mask
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.radiograph import Radiograph
from training.data.dataset import LabelledFilm
from training.measure.predictions import in_batches, mean_with_interval, read_each

ALL = "all"
WORST = 0.05


def dice(masks: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Dice coefficient of each pair of masks, ``(n, h, w) -> (n,)``."""
    both = (masks & others).sum(axis=(1, 2))
    total = masks.sum(axis=(1, 2)) + others.sum(axis=(1, 2))
    coefficients: NDArray[np.float64] = 2 * both / np.maximum(total, 1)
    return coefficients


def lung_overlap(
    classifier: Classifier,
    films: Sequence[LabelledFilm],
    outlines: Mapping[str, Mask],
    group_of: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Measure the lungs of films that have an outline, in all and by acquisition group.

    Parameters
    ----------
    outlines
        By the name of their film, on the grid of `LungFields.mask`.
    group_of
        By the path of their film.

    Returns
    -------
    list of dict
        ``name``, ``n``, ``dice`` (mean) with ``dice_ci95`` by drawing patients, and
        ``dice_worst_twentieth``: what one film in twenty does not reach. Empty for a network that
        looks for no lungs.
    """
    outlined = [film for film in films if film.path.name in outlines]
    found = _found(classifier, outlined)
    if not found:
        return []
    films = [film for film, _ in found]
    drawn = np.stack([outlines[film.path.name] for film in films])
    values = dice(np.stack([mask for _, mask in found]), drawn)
    names = np.array([group_of.get(str(film.path), "") for film in films])
    patients = np.array([film.patient_id for film in films])
    groups = {ALL: np.ones(len(films), bool)}
    groups |= {str(name): names == name for name in sorted(set(names) - {""})}
    return [_row(name, values[own], patients[own]) for name, own in groups.items()]


def _row(name: str, values: NDArray[np.float64], patients: NDArray[np.str_]) -> dict[str, Any]:
    mean = mean_with_interval(values, list(patients), share=True)
    return {
        "name": name,
        "n": len(values),
        "dice": mean["value"],
        "dice_ci95": mean["ci95"],
        "dice_worst_twentieth": float(np.quantile(values, WORST)),
    }


def _found(
    classifier: Classifier, films: Sequence[LabelledFilm]
) -> list[tuple[LabelledFilm, Mask]]:
    """Return the lungs that the checkpoint finds, of films that can be read."""

    def prepare(radiograph: Radiograph) -> NetworkInput:
        return classifier.prepare(radiograph.image)

    found: list[tuple[LabelledFilm, Mask]] = []
    read = ((film, made) for film, made in read_each(films, prepare) if made is not None)
    for some in in_batches(read):
        predictions = classifier.predict([made for _, made in some])
        found += [
            (film, prediction.lungs.mask)
            for (film, _), prediction in zip(some, predictions, strict=True)
            if prediction.lungs is not None
        ]
    return found
