"""The report: a Comprehensive 3D SR by template 1500, which machines read.

It says *with findings* or *without findings* of the algorithm, never that pneumonia is absent:
that would be a diagnosis.

References
----------
DICOM PS3.16 TID 1500, 1411, 1419, 4019; PS3.3 A.35.13.
"""

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    LanguageOfContentItemAndDescendants,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage

from cxr_app.destination import ResultKind
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.result_object import completed, series_number
from cxr_app.pacs.scored_film import ScoredFilm

PNEUMONIA = Code("233604007", "SCT", "Pneumonia")
LUNG = Code("39607008", "SCT", "Lung")
CHEST_FILM = Code("399208008", "SCT", "Plain chest X-ray")
ENGLISH = CodedConcept("en-US", "RFC5646", "English (United States)")
DEVICE = CodedConcept("121007", "DCM", "Device")
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
    kind = ResultKind.REPORT
    before = film.predecessor(kind)
    if before is not None:
        before.SOPClassUID = Comprehensive3DSRStorage
    report = Comprehensive3DSR(
        evidence=[film.evidence],
        content=MeasurementReport(
            observation_context=ObservationContext(observer_device_context=_observer(installation)),
            procedure_reported=CHEST_FILM,
            imaging_measurements=[_group(film)],
            language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(ENGLISH),
        ),
        series_instance_uid=film.series_uid(kind),
        series_number=series_number(kind),
        sop_instance_uid=film.instance_uid(kind),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
        previous_versions=None if before is None else [before],
        record_evidence=False,  # highdicom searches the whole tree for the one film
    )
    report.CurrentRequestedProcedureEvidenceSequence = [_evidence(film.header)]
    return completed(report, film, installation, kind)


def _evidence(header: Dataset) -> Dataset:
    """Return the film's place in its study."""
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = header.SOPClassUID
    instance.ReferencedSOPInstanceUID = header.SOPInstanceUID
    series.SeriesInstanceUID = header.SeriesInstanceUID
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = header.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study


def _observer(installation: Installation) -> ObserverContext:
    return ObserverContext(
        observer_type=DEVICE,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=installation.uid,
            name=plain(installation.ae_title),
            manufacturer_name=MANUFACTURER,
            model_name=MODEL_NAME,
            serial_number=installation.serial_number,
        ),
    )


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
