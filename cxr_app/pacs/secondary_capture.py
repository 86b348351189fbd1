"""The picture as a Secondary Capture, which every viewer shows beside the film.

References
----------
DICOM PS3.3 A.8.1, C.8.6.1, C.7.6.1.1.1 (Patient Orientation).
"""

from highdicom.sr import CodedConcept
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.uid import SecondaryCaptureImageStorage

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text, texts
from cxr_app.imaging.orientation import turn_needed
from cxr_app.pacs.encoded_elements import encoded, encoded_sequence
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.picture import Picture, picture_of
from cxr_app.pacs.result_object import begun, completed, set_encoded, written_as_it_is
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.radiograph import Softcopy

AS_READ = ("L", "F")
"""Where rows and columns of a frontal film run to when it lies as it is read."""

_EQUIPMENT = (
    *("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName"),
)


def secondary_capture(film: ScoredFilm, softcopy: Softcopy, installation: Installation) -> Dataset:
    """Build the picture of a scored film."""
    kind = ResultKind.PICTURE
    capture = begun(film, kind, SecondaryCaptureImageStorage, "OT")
    _set_pixels(capture, picture_of(film, softcopy))
    set_encoded(
        capture,
        ConversionType="DI",
        DateOfSecondaryCapture="",  # set with the other times
        TimeOfSecondaryCapture="",
        PatientOrientation="\\".join(_orientation(film.header)),
        ImageType="DERIVED\\SECONDARY",
        BurnedInAnnotation="YES",
        DerivationDescription="Film with heatmap, AI result and readers' marks burned in"
        if film.marks
        else "Film with the heatmap and the result of an AI burned in",
    )
    source = encoded_sequence("SourceImageSequence", _reference(film.header))
    capture[source.tag] = source
    maker = _acquisition_equipment(film.evidence)
    if maker is not None:
        capture.ContributingEquipmentSequence = [maker]
    return written_as_it_is(completed(capture, film, installation, kind))


def _set_pixels(capture: Dataset, picture: Picture) -> None:
    rows, columns, samples = picture.shape
    set_encoded(
        capture,
        Rows=rows,
        Columns=columns,
        SamplesPerPixel=samples,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
    )
    pixels = picture.tobytes()
    capture.add_new("PixelData", "OB", pixels + bytes(len(pixels) % 2))


def _acquisition_equipment(film: Dataset) -> Dataset | None:
    """Return what took the film; None if the film does not say.

    References
    ----------
    DICOM PS3.3 C.12.1 (Contributing Equipment Sequence).
    """
    if not text(film, "Manufacturer"):
        return None
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [
        CodedConcept("109101", "DCM", "Acquisition Equipment")
    ]
    for keyword in _EQUIPMENT:
        if keyword in film:
            equipment[keyword] = film[keyword]
    equipment.ContributionDescription = "Acquisition equipment of the source image"
    return equipment


def _orientation(header: Dataset) -> list[str]:
    """Return where the picture's rows and columns run to; empty if the film does not say.

    A film that a reader turned is turned here too.
    """
    if turn_needed(header) is not None:
        return list(AS_READ)
    found = texts(header, "PatientOrientation")
    return found if len(found) == 2 and all(found) else []


def _reference(header: Dataset) -> list[RawDataElement]:
    return [
        encoded("ReferencedSOPClassUID", text(header, "SOPClassUID")),
        encoded("ReferencedSOPInstanceUID", text(header, "SOPInstanceUID")),
    ]
