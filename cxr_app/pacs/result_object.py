"""What all objects of a result have in common, beside what highdicom fills in."""

from typing import Any

from pydicom import Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME, SERIES_PREFIX
from cxr_app.pacs.encoded_elements import encoded
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.scored_film import PATIENT_AND_STUDY, ScoredFilm

_WORDS = {
    ResultKind.REPORT: "report",
    ResultKind.PICTURE: "heatmap picture",
    ResultKind.OUTLINE: "heatmap outline",
    ResultKind.HEATMAP: "heatmap values",
    ResultKind.READING: "reader's verdict",
}
_FIRST_SERIES = 9001
"""(0020,0011) *Series Number*: above those that modalities give."""
_LONGEST = {"LO": 64, "CS": 16, "SH": 16}
_DATES = (
    *("ContentDate", "InstanceCreationDate", "SeriesDate", "PresentationCreationDate"),
    "DateOfSecondaryCapture",
)
_TIMES = (
    *("ContentTime", "InstanceCreationTime", "SeriesTime", "PresentationCreationTime"),
    "TimeOfSecondaryCapture",
)
_ALWAYS = ("InstanceCreationDate", "InstanceCreationTime")


def identity(film: ScoredFilm, kind: ResultKind) -> dict[str, Any]:
    """Return what every object is made with: its place in a series of its own, and its maker."""
    return {
        "series_instance_uid": film.series_uid(kind),
        "series_number": _series_number(kind),
        "sop_instance_uid": film.instance_uid(kind),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
    }


def begun(film: ScoredFilm, kind: ResultKind, sop_class: UID, modality: str) -> Dataset:
    """Begin an object with its identity and what it has of its film's patient and study.

    highdicom's own classes search the whole standard for each object.
    """
    result = Dataset()
    if "SpecificCharacterSet" in film.evidence:
        result.SpecificCharacterSet = film.evidence.SpecificCharacterSet
    for element in film.subject:
        result[element.tag] = element
    uid = film.instance_uid(kind)
    set_encoded(
        result,
        SOPClassUID=sop_class,
        SOPInstanceUID=uid,
        SeriesInstanceUID=film.series_uid(kind),
        SeriesNumber=_series_number(kind),
        InstanceNumber=1,
        Modality=modality,
        ContentDate="",  # set with the other times
        ContentTime="",
    )
    result.file_meta = FileMetaDataset()
    result.file_meta.MediaStorageSOPClassUID = sop_class
    result.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    result.preamble = bytes(128)
    return result


def set_encoded(result: Dataset, **elements: object) -> None:
    """Set elements of our own by keyword, encoded."""
    for keyword, value in elements.items():
        element = encoded(keyword, value)
        result[element.tag] = element


def written_as_it_is(result: Dataset) -> Dataset:
    """Let pydicom write what is encoded already without parsing it first; return the object."""
    terms = result.get("SpecificCharacterSet")
    encodings = convert_encodings(terms) if terms else default_encoding
    result.set_original_encoding(False, True, encodings)
    return result


def with_own_values(result: Dataset, film: ScoredFilm) -> Dataset:
    """Set what the film has itself where highdicom was shown its `evidence`; return the result."""
    for keyword in PATIENT_AND_STUDY:
        result[keyword] = film.header[keyword]
    if "SpecificCharacterSet" in film.evidence:
        result.SpecificCharacterSet = film.evidence.SpecificCharacterSet
    return result


def completed(
    result: Dataset, film: ScoredFilm, installation: Installation, kind: ResultKind
) -> Dataset:
    """Set what a result says of its maker and its time; return it.

    All of it follows from the film and its result, so that a repeat has the same bytes.

    References
    ----------
    DICOM PS3.3 C.7.5.1 (General Equipment), C.12.1 (SOP Common).
    """
    set_encoded(
        result,
        Manufacturer=MANUFACTURER,
        ManufacturerModelName=MODEL_NAME,
        DeviceSerialNumber=installation.serial_number,
        SoftwareVersions=_cut("SoftwareVersions", film.model_version),
        SeriesDescription=_cut(
            "SeriesDescription", f"{SERIES_PREFIX}, investigational: {_WORDS[kind]}"
        ),
    )
    _set_time(result, film)
    if kind not in (ResultKind.REPORT, ResultKind.READING):
        _set_body_part(result, film.header)
    result.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return result


def _series_number(kind: ResultKind) -> int:
    return _FIRST_SERIES + list(ResultKind).index(kind)


def _cut(keyword: str, words: str) -> str:
    return plain(words)[: _LONGEST[dictionary_VR(keyword)]]


def _set_time(result: Dataset, film: ScoredFilm) -> None:
    """Set all times of the object to when the film was scored, and the zone that they are in."""
    moment = film.local_time
    for keyword in (*_DATES, *_TIMES):
        if keyword in result or keyword in _ALWAYS:
            pattern = "%Y%m%d" if "Date" in keyword else "%H%M%S"
            set_encoded(result, **{keyword: moment.strftime(pattern)})
    for item in result.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = moment.strftime("%Y%m%d%H%M%S%z")
    set_encoded(result, TimezoneOffsetFromUTC=moment.strftime("%z"))


def _set_body_part(result: Dataset, header: Dataset) -> None:
    """Take the part of the body from the film; only chest films are scored, without laterality."""
    for keyword in ("Laterality", "ImageLaterality"):
        if keyword in result:
            delattr(result, keyword)
    set_encoded(result, BodyPartExamined=text(header, "BodyPartExamined") or "CHEST")
