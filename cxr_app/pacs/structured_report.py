"""The report: a Comprehensive 3D SR by template 1500, which machines read.

It says *with findings* or *without findings* of the algorithm, never that pneumonia is absent:
that would be a diagnosis.

References
----------
DICOM PS3.16 TID 1500, 1411, 1419, 4019; PS3.3 A.35.13.
"""

from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.coding import Code

from cxr_app.destination import ResultKind
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.sr_document import LUNG, PNEUMONIA, sr_document
from cxr_app.pacs.zone_groups import zone_groups

ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
NO_UNITS = Code("1", "UCUM", "no units")
PROBABILITY = Code("122157", "DCM", "Probability")
THRESHOLD = Code("122411", "DCM", "Threshold Value")
SUMMARY = Code("111017", "DCM", "CAD Processing and Findings Summary")
WITH_FINDINGS = Code("111242", "DCM", "All algorithms succeeded; with findings")
WITHOUT_FINDINGS = Code("111241", "DCM", "All algorithms succeeded; without findings")

DIGITS = 6
"""Enough for no film to show the threshold's own digits on its wrong side."""


def structured_report(film: ScoredFilm, installation: Installation) -> Dataset:
    """Build the report of a scored film."""
    groups = [_group(film), *zone_groups(film)]
    return sr_document(film, installation, ResultKind.REPORT, groups)


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
            Measurement(PROBABILITY, round(film.pneumonia_probability, DIGITS), NO_UNITS),
            Measurement(THRESHOLD, round(film.threshold, DIGITS), NO_UNITS),
        ],
        qualitative_evaluations=[
            QualitativeEvaluation(SUMMARY, WITH_FINDINGS if film.flagged else WITHOUT_FINDINGS)
        ],
        source_images=[SourceImageForMeasurementGroup.from_source_image(film.evidence)],
    )
