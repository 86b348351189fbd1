"""Where the heat of a film lies: outside the body, within the lungs."""

from dataclasses import dataclass

import numpy as np

from cxr_app.lung_fields import LungFields
from cxr_app.model.activation_map import HeatArray, on_film
from cxr_app.radiograph import Image
from training.explain import body_mask


@dataclass(frozen=True, slots=True)
class HeatInLungs:
    """Heat against the outline of the lungs that the same network found.

    Parameters
    ----------
    share_of_heat, share_of_film
        Within the lungs, in ``[0, 1]``. A map that does not depend on the film has about the second
        share of its heat there.
    peak
        Whether the hottest place lies in a lung.
    """

    share_of_heat: float
    share_of_film: float
    peak: bool


def heat_in_lungs(heat: HeatArray, lungs: LungFields | None) -> HeatInLungs | None:
    """Compare heat with the lungs; None if there is no heat, or no two lungs were found."""
    if lungs is None or not lungs.found or not heat.any():
        return None
    spread = on_film(heat, *lungs.mask.shape)
    return HeatInLungs(
        share_of_heat=float(spread[lungs.mask].sum() / spread.sum()),
        share_of_film=float(lungs.mask.mean()),
        peak=bool(lungs.mask[np.unravel_index(int(spread.argmax()), spread.shape)]),
    )


def heat_outside(heat: HeatArray, image: Image) -> tuple[float, float] | None:
    """Return the share of the heat, and of the film, outside the body; None if there is no heat.

    A map that does not depend on the film has about the second share of its heat there.
    """
    if not heat.any():
        return None
    empty = body_mask.outside_body(image)
    spread = on_film(heat, *empty.shape)
    return float(spread[empty].sum() / spread.sum()), float(empty.mean())
