"""The report: a Comprehensive 3D SR by template 1500, which machines read.

It says *with findings* or *without findings* of the algorithm, never that pneumonia is absent:
that would be a diagnosis.

References
----------
DICOM PS3.16 TID 1500, 1411, 1419, 4019; PS3.3 A.35.13.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.valuerep import DS

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.lung_fields import Extent
from cxr_app.pacs.encoded_tree import EncodedTree, KeywordValue
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.sr_document import LUNG, PNEUMONIA, content_tree, source_image, sr_document
from cxr_app.pacs.zone_groups import EXTENT_NAME, zone_groups, zone_values

ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
NO_UNITS = Code("1", "UCUM", "no units")
PROBABILITY = Code("122157", "DCM", "Probability")
THRESHOLD = Code("122411", "DCM", "Threshold Value")
SUMMARY = Code("111017", "DCM", "CAD Processing and Findings Summary")
WITH_FINDINGS = Code("111242", "DCM", "All algorithms succeeded; with findings")
WITHOUT_FINDINGS = Code("111241", "DCM", "All algorithms succeeded; without findings")

DIGITS = 6
"""Enough for no film to show the threshold's own digits on its wrong side."""


MOST_FORMS = 256
"""Encoded trees that are kept, some 20 KB each; 64 combinations of zones may have heat."""


def structured_report(film: ScoredFilm, installation: Installation) -> Dataset:
    """Build the report of a scored film."""
    shape = _Shape(
        installation,
        text(film.header, "SOPClassUID"),
        film.flagged,
        film.threshold,
        film.operating_point_name,
        film.model_version,
        tuple(name for name, _ in zone_values(film)),
    )
    content = _form(shape).filled(list(_own_values(film)))
    return sr_document(film, installation, ResultKind.REPORT, content)


def report_tree(film: ScoredFilm, installation: Installation) -> Dataset:
    """Build the tree of a report's content element by element, by highdicom's templates."""
    return content_tree([_group(film), *zone_groups(film)], installation)


@dataclass(frozen=True)
class _Shape:
    """What the trees of many films have in common."""

    installation: Installation
    sop_class_uid: str
    flagged: bool
    threshold: float
    operating_point_name: str
    model_version: str
    zones: tuple[str, ...]

    def stand_in(self) -> ScoredFilm:
        """Return a film of this shape whose own values are no film's."""
        header = Dataset()
        header.SOPClassUID, header.SOPInstanceUID = self.sop_class_uid, "2.25.0"
        zones = {name: 2.0 + place for place, name in enumerate(self.zones) if name != EXTENT_NAME}
        return ScoredFilm(
            header=header,
            sha256="",
            flagged=self.flagged,
            pneumonia_probability=-1.0,
            threshold=self.threshold,
            operating_point_name=self.operating_point_name,
            model_version=self.model_version,
            scored_at=datetime.min.replace(tzinfo=UTC),
            extent=Extent(zones, {}, -2) if zones else None,
        )


@lru_cache(MOST_FORMS)
def _form(shape: _Shape) -> EncodedTree:
    film = shape.stand_in()
    return EncodedTree(report_tree(film, shape.installation), list(_own_values(film)))


def _own_values(film: ScoredFilm) -> Iterator[KeywordValue]:
    """Yield the elements in the tree that are this film's alone."""
    yield "ReferencedSOPInstanceUID", text(film.header, "SOPInstanceUID")
    yield "UID", film.tracking_uid
    yield from _number(_shown(film.pneumonia_probability))
    for name, value in zone_values(film):
        yield "UID", film.zone_uid(name)
        yield from _number(value)


def _number(value: float) -> Iterator[KeywordValue]:
    """Yield the elements of a measured value, as highdicom sets them."""
    yield "NumericValue", DS(value, auto_format=True)
    if isinstance(value, float):
        yield "FloatingPointValue", value


def _shown(value: float) -> float:
    return round(value, DIGITS)


def _group(film: ScoredFilm) -> MeasurementsAndQualitativeEvaluations:
    """Build the one group of measurements; a finding is in it only if the film is flagged."""
    tracking = TrackingIdentifier(uid=film.tracking_uid, identifier=MODEL_NAME)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        finding_type=PNEUMONIA if film.flagged else None,
        finding_sites=[FindingSite(LUNG)],
        algorithm_id=AlgorithmIdentification(
            name=MODEL_NAME,
            version=plain(film.model_version),
            manufacturer=MANUFACTURER,
            family=ARTIFICIAL_INTELLIGENCE,
            parameters=[
                f"operating point: {plain(film.operating_point_name)}",
                f"threshold: {film.threshold:.{DIGITS}f}",
            ],
        ),
        measurements=[
            Measurement(PROBABILITY, _shown(film.pneumonia_probability), NO_UNITS),
            Measurement(THRESHOLD, _shown(film.threshold), NO_UNITS),
        ],
        qualitative_evaluations=[
            QualitativeEvaluation(SUMMARY, WITH_FINDINGS if film.flagged else WITHOUT_FINDINGS)
        ],
        source_images=[source_image(film)],
    )
