"""A film that an archive has, by its answers to a search."""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from cxr_app.imaging.dicom import header_of
from cxr_app.imaging.dicom_values import text
from cxr_app.pacs.contexts import FILM_CLASSES
from cxr_app.radiograph import Header

PATIENT_KEYS = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyTime",
)
"""What an archive is asked to state of a study's patient."""


@dataclass(frozen=True, slots=True)
class ArchivedFilm:
    """A film that an archive has.

    Parameters
    ----------
    header
        What the archive states of patient, study and series; the film itself may state more.
    sop_class_uid
        Empty if the archive does not state it.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    header: Header

    @property
    def may_be_film(self) -> bool:
        """Whether its class can hold a film."""
        return not self.sop_class_uid or self.sop_class_uid in FILM_CLASSES


def facts(answer: Dataset, keywords: Collection[str]) -> dict[str, str]:
    """Return what an archive's answer states, by keyword."""
    return {keyword: text(answer, keyword) for keyword in keywords}


def archived_film(study: Dataset, series: Dataset, image: Dataset) -> ArchivedFilm:
    """Return a film with what was answered on every level."""
    answers = (study, series, image)
    headers = [asdict(_header(answer)) for answer in answers]
    stated = {name: next(filter(None, (each[name] for each in headers)), "") for name in headers[0]}
    return ArchivedFilm(
        study_instance_uid=text(study, "StudyInstanceUID"),
        series_instance_uid=text(series, "SeriesInstanceUID"),
        sop_instance_uid=text(image, "SOPInstanceUID"),
        sop_class_uid=text(image, "SOPClassUID"),
        header=Header(**stated),
    )


def _header(answer: Dataset) -> Header:
    answer.file_meta = FileMetaDataset()
    return header_of(answer)
