"""A structured report as a document: its place, what it replaces, who observed, the tree.

References
----------
DICOM PS3.16 TID 1500, 1001; PS3.3 A.35.13, C.17.2.
"""

from collections.abc import Iterable, Sequence

from highdicom.sr import (
    CodedConcept,
    DeviceObserverIdentifyingAttributes,
    LanguageOfContentItemAndDescendants,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    SourceImageForMeasurementGroup,
)
from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.pacs.encoded_tree import Element
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.result_object import begun, completed, written_as_it_is
from cxr_app.pacs.scored_film import ScoredFilm

PNEUMONIA = Code("233604007", "SCT", "Pneumonia")
LUNG = Code("39607008", "SCT", "Lung")
CHEST_FILM = Code("399208008", "SCT", "Plain chest X-ray")
ENGLISH = CodedConcept("en-US", "RFC5646", "English (United States)")
DEVICE = CodedConcept("121007", "DCM", "Device")


def sr_document(
    film: ScoredFilm,
    installation: Installation,
    kind: ResultKind,
    content: Iterable[Element],
) -> Dataset:
    """Build a report about a film.

    Parameters
    ----------
    content
        The elements of the root of its tree.
    """
    report = begun(film, kind, Comprehensive3DSRStorage, "SR")
    _set_document(report, film, kind)
    for element in content:
        report[element.tag] = element
    return written_as_it_is(completed(report, film, installation, kind))


def content_tree(
    groups: Sequence[MeasurementsAndQualitativeEvaluations],
    installation: Installation,
    reader: ObserverContext | None = None,
) -> Dataset:
    """Build the tree of a report's content by template 1500.

    Parameters
    ----------
    groups
        What it says, each a group of template 1411.
    reader
        The person who observed it, besides this program.
    """
    (root,) = MeasurementReport(
        observation_context=ObservationContext(
            observer_person_context=reader, observer_device_context=_observer(installation)
        ),
        procedure_reported=CHEST_FILM,
        imaging_measurements=groups,
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(ENGLISH),
    )
    found: Dataset = root
    return found


def source_image(film: ScoredFilm) -> SourceImageForMeasurementGroup:
    """Return what a group names as the film that it is about."""
    return SourceImageForMeasurementGroup(
        text(film.header, "SOPClassUID"), text(film.header, "SOPInstanceUID")
    )


def _set_document(report: Dataset, film: ScoredFilm, kind: ResultKind) -> None:
    """Set what the document is: complete, not final, not verified, and which one it replaces.

    References
    ----------
    DICOM PS3.3 C.17.2 (SR Document General).
    """
    report.CompletionFlag = "COMPLETE"
    report.PreliminaryFlag = "PRELIMINARY"
    report.VerificationFlag = "UNVERIFIED"
    report.ReferencedPerformedProcedureStepSequence = []
    report.PerformedProcedureCodeSequence = []
    report.CurrentRequestedProcedureEvidenceSequence = [_evidence(film)]
    before = film.predecessor(kind)
    if before is not None:
        before.SOPClassUID = Comprehensive3DSRStorage
        report.PredecessorDocumentsSequence = [_reference(before)]


def _reference(header: Dataset) -> Dataset:
    """Return the place of an instance in its study."""
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = header.SOPClassUID
    instance.ReferencedSOPInstanceUID = header.SOPInstanceUID
    series.SeriesInstanceUID = header.SeriesInstanceUID
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = header.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study


def _evidence(film: ScoredFilm) -> Dataset:
    """Return the film and the other films of its study that were known.

    References
    ----------
    DICOM PS3.3 C.17.2: the sequence names all instances of the procedure of which the maker knows.
    """
    study = _reference(film.header)
    for header in film.beside:
        series = next(
            (
                each
                for each in study.ReferencedSeriesSequence
                if each.SeriesInstanceUID == header.series_instance_uid
            ),
            None,
        )
        if series is None:
            series = Dataset()
            series.SeriesInstanceUID = header.series_instance_uid
            series.ReferencedSOPSequence = []
            study.ReferencedSeriesSequence.append(series)
        instance = Dataset()
        instance.ReferencedSOPClassUID = header.sop_class_uid
        instance.ReferencedSOPInstanceUID = header.sop_instance_uid
        series.ReferencedSOPSequence.append(instance)
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
