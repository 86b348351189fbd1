"""Where in the lungs the heat lies and how much of them it covers, in one sentence."""

from cxr_app.lung_fields import Extent
from cxr_app.model.screening import MIRRORED
from cxr_app.prediction import HeatScale, visible_extent
from cxr_app.worklist import Entry

NO_HEAT = "Flagged without visible heat: no area stands out."
ESTIMATE = "an estimate that has not been validated"


def heat_sentence(entry: Entry, scale: HeatScale | None) -> str:
    """Return where the heat of a flagged film lies; empty for other films or if it is unknown.

    Parameters
    ----------
    scale
        The scale that the heatmap is drawn on; None if there is none.
    """
    if not entry.flagged or entry.activation_map is None or scale is None:
        return ""
    if not (entry.activation_map > scale.begin).any():
        return NO_HEAT
    extent = visible_extent(entry.activation_map, scale, entry.lungs)
    if extent is None:
        return ""
    if not extent.main_zone:
        return "The heat lies outside the lungs."
    return (
        f"{_place(extent, mirrored=MIRRORED in entry.remarks)}; "
        f"extent about {extent.score} of 8 ({ESTIMATE})."
    )


def _place(extent: Extent, *, mirrored: bool) -> str:
    """Return the zone with most of the heat, without its side if the film may be mirrored."""
    if mirrored:
        zone = f"{extent.main_zone.partition(' ')[2]} zone of one lung"
    else:
        zone = f"{extent.main_zone} zone"
    if extent.parts[extent.main_zone] > 0.5:
        return f"Most of the heat lies in the {zone}"
    return f"The heat covers the {zone} most"
