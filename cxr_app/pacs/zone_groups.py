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
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom.sr.coding import Code

from cxr_app.lung_fields import LUNGS, THIRDS
from cxr_app.pacs.scored_film import ScoredFilm

OWN_CODES = "99CXRTRIAGE"
MARKED_SHARE = Code("marked-share", OWN_CODES, "Share of the zone with visible heat")
EXTENT = Code("extent", OWN_CODES, "Geographic extent of the heat, 0 to 8, not validated")
PERCENT = Code("%", "UCUM", "percent")
SCORE = Code("{score}", "UCUM", "score")
LUNG = Code("39607008", "SCT", "Lung")
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


def zone_groups(film: ScoredFilm) -> Iterator[MeasurementsAndQualitativeEvaluations]:
    """Yield a group for each zone with heat, and one for its extent; none if that is unknown."""
    extent = film.extent
    if extent is None or not extent.main_zone:
        return
    yield _group(film, "extent", FindingSite(LUNG), Measurement(EXTENT, extent.score, SCORE))
    for zone, share in extent.zones.items():
        side, third = zone.split()
        if share > 0:
            site = FindingSite(ZONES[third], laterality=SIDES[side])
            marked = Measurement(MARKED_SHARE, round(100 * share, 1), PERCENT)
            yield _group(film, zone, site, marked)


def _group(
    film: ScoredFilm, name: str, site: FindingSite, measurement: Measurement
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=film.zone_uid(name), identifier=f"Heat: {name}"),
        finding_sites=[site],
        measurements=[measurement],
        source_images=[SourceImageForMeasurementGroup.from_source_image(film.evidence)],
    )
