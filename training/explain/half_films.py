"""Whether heat lies where the disease is: half a film with pneumonia beside half of one without.

Where nobody has drawn the disease, it is known only that it lies somewhere. In a film that is put
together, it can lie in one half alone.

References
----------
Böhle, Fritz and Schiele 2021, section 4.2: the same with the classes of a grid of pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cxr_app.model.activation_map import HeatArray
from cxr_app.model.preprocessing import NetworkInput
from training.explain.cams import Explainer

HALVES = ("left or right", "upper or lower")
"""Of a film with pneumonia."""
SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class HeatInHalf:
    """Heat of a film that was put together.

    Parameters
    ----------
    share
        Of the heat in the half with pneumonia, in ``[0, 1]``. A map that does not depend on the
        film has about half of its heat there.
    peak
        Whether the hottest place lies there.
    """

    share: float
    peak: bool


def heat_in_halves(
    explainer: Explainer, sick: NetworkInput, clear: NetworkInput
) -> Mapping[str, Sequence[HeatInHalf | None]]:
    """Measure four films, each with another half of one with pneumonia.

    Parameters
    ----------
    sick, clear
        A film with pneumonia, and one of another patient without it.

    Returns
    -------
    mapping of str to sequence of HeatInHalf or None
        By `HALVES`; None for a film that has no heat.
    """
    beside = put_together(sick, clear)
    above = [film.T for film in put_together(sick.T, clear.T)]
    heats = [explainer.heat(each) for each in explainer.explain([*beside, *above]).maps]
    left, right, upper, lower = heats
    as_left = (left, right[:, ::-1]), (upper.T, lower.T[:, ::-1])
    return {
        name: [heat_in_half(heat) for heat in both]
        for name, both in zip(HALVES, as_left, strict=True)
    }


def put_together(sick: NetworkInput, clear: NetworkInput) -> Sequence[NetworkInput]:
    """Return the left half of one film beside the other, and its right half.

    The other film gets its mean and its spread: no step in brightness shall tell the two apart.
    """
    spread = max(float(clear.std()), SMALLEST_SPREAD)
    alike = (clear - clear.mean()) / spread * sick.std() + sick.mean()
    is_left = np.arange(sick.shape[1]) < sick.shape[1] // 2
    return [
        np.where(is_left, *films).astype(np.float32) for films in ((sick, alike), (alike, sick))
    ]


def heat_in_half(heat: HeatArray) -> HeatInHalf | None:
    """Measure the heat of the left half; None if there is no heat."""
    if not heat.any():
        return None
    columns = heat.shape[1]
    is_left = np.clip(columns / 2 - np.arange(columns), 0, 1)  # half of a column in the middle
    peak = int(heat.argmax()) % columns
    return HeatInHalf(float((heat * is_left).sum() / heat.sum()), bool(is_left[peak] > 0.5))
