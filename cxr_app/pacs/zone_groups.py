"""The zones of the lungs in a report: how much of each the heat of a flagged film covers.

No standard code means the share of a zone that is marked, or the extent over both lungs: these two
have codes of this program's own.

References
----------
DICOM PS3.16 TID 1501 and 300; PS3.16 chapter 8 (coding schemes that begin with 99 are private).
"""

from collections.abc import Iterator

from highdicom.sr import (
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    TrackingIdentifier,
)
from pydicom.sr.coding import Code

from cxr_app.lung_fields import LUNGS, THIRDS
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.sr_document import LUNG, source_image

OWN_CODES = "99CXRTRIAGE"
MARKED_SHARE = Code("marked-share", OWN_CODES, "Share of the zone with visible heat")
EXTENT = Code("extent", OWN_CODES, "Geographic extent of the heat, 0 to 8, not validated")
PERCENT = Code("%", "UCUM", "percent")
SCORE = Code("{score}", "UCUM", "score")
ZONES = dict(
    zip(
        THIRDS,
        (
            Code("281392002", "SCT", "Upper zone of lung"),
            Code("281393007", "SCT", "Middle zone of lung"),
            Code("281394001", "SCT", "Lower zone of lung"),
        ),
        strict=True,
    )
)
SIDES = dict(
    zip(
        LUNGS,
        (Code("24028007", "SCT", "Right"), Code("7771000", "SCT", "Left")),
        strict=True,
    )
)


EXTENT_NAME = "extent"


def zone_groups(film: ScoredFilm) -> Iterator[MeasurementsAndQualitativeEvaluations]:
    """Yield a group for each zone with heat, and one for its extent; none if that is unknown."""
    for name, value in zone_values(film):
        if name == EXTENT_NAME:
            yield _group(film, name, FindingSite(LUNG), Measurement(EXTENT, value, SCORE))
        else:
            side, third = name.split()
            site = FindingSite(ZONES[third], laterality=SIDES[side])
            yield _group(film, name, site, Measurement(MARKED_SHARE, value, PERCENT))


def zone_values(film: ScoredFilm) -> Iterator[tuple[str, float]]:
    """Yield names and values of the groups: the extent first, then each zone's share in percent."""
    extent = film.extent
    if extent is None or not extent.main_zone:
        return
    yield EXTENT_NAME, extent.score
    for zone, share in extent.zones.items():
        if share > 0:
            yield zone, round(100 * share, 1)


def _group(
    film: ScoredFilm, name: str, site: FindingSite, measurement: Measurement
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=film.zone_uid(name), identifier=f"Heat: {name}"),
        finding_sites=[site],
        measurements=[measurement],
        source_images=[source_image(film)],
    )
