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
from pydicom.dataelem import RawDataElement
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.pacs.encoded_elements import Element, encoded, encoded_sequence
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.result_object import begun, completed, set_encoded, written_as_it_is
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.radiograph import Header

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
    set_encoded(
        report,
        CompletionFlag="COMPLETE",
        PreliminaryFlag="PRELIMINARY",
        VerificationFlag="UNVERIFIED",
        ReferencedPerformedProcedureStepSequence=[],
        PerformedProcedureCodeSequence=[],
    )
    evidence = _in_study(film.header, film.beside)
    _set_sequence(report, "CurrentRequestedProcedureEvidenceSequence", evidence)
    before = film.predecessor(kind)
    if before is not None:
        before.SOPClassUID = Comprehensive3DSRStorage
        _set_sequence(report, "PredecessorDocumentsSequence", _in_study(before))


def _set_sequence(report: Dataset, keyword: str, item: list[RawDataElement]) -> None:
    element = encoded_sequence(keyword, item)
    report[element.tag] = element


def _in_study(header: Dataset, beside: Iterable[Header] = ()) -> list[RawDataElement]:
    """Return the place of an instance in its study, and of other films of it.

    References
    ----------
    DICOM PS3.3 C.17.2: the evidence names all instances of the procedure of which the maker knows.
    """
    own = _instance(header.SOPClassUID, header.SOPInstanceUID)
    series = [(header.SeriesInstanceUID, [own])]
    for film in beside:
        found = (instances for uid, instances in series if uid == film.series_instance_uid)
        instances = next(found, None)
        if instances is None:
            instances = []
            series.append((film.series_instance_uid, instances))
        instances.append(_instance(film.sop_class_uid, film.sop_instance_uid))
    places = [
        (encoded("SeriesInstanceUID", uid), encoded_sequence("ReferencedSOPSequence", *instances))
        for uid, instances in series
    ]
    return [
        encoded("StudyInstanceUID", header.StudyInstanceUID),
        encoded_sequence("ReferencedSeriesSequence", *places),
    ]


def _instance(sop_class_uid: str, sop_instance_uid: str) -> list[RawDataElement]:
    return [
        encoded("ReferencedSOPClassUID", sop_class_uid),
        encoded("ReferencedSOPInstanceUID", sop_instance_uid),
    ]


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
