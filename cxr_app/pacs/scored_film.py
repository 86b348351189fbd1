"""A film and its result, as the objects are made from them."""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache, cached_property

from highdicom import SOPClass
from highdicom.enum import SpecificCharacterSetValues
from pydicom import Dataset
from pydicom.tag import BaseTag, Tag

from cxr_app.destination import ResultKind
from cxr_app.errors import NotAFilmError
from cxr_app.imaging.dicom_values import text, texts
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.lung_fields import Extent
from cxr_app.pacs.encoded_elements import Element, encoded, encoded_of
from cxr_app.pacs.result_uids import derived_uid
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Header
from cxr_app.worklist import Measurement

PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
)
"""Attributes of type 2: a result has them empty if the film has none."""
_OWN = {Tag(keyword) for keyword in PATIENT_AND_STUDY}

_UTF_8 = "ISO_IR 192"
_DEFAULT_REPERTOIRE = "ISO 2022 IR 6"
_CHARACTER_SETS = {each.value for each in SpecificCharacterSetValues}

_PIXELS = 0x7FE00001
"""Where pixel data begins, whatever it is stored as."""
NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class _Subject(SOPClass):
    """The attributes of an image's patient and study by highdicom, which copies none here."""

    def __init__(self, sop_class_uid: str) -> None:
        Dataset.__init__(self)
        image = Dataset()
        image.SOPClassUID, image.SOPInstanceUID = sop_class_uid, ""
        self.tags: set[BaseTag] = set()
        self.copy_patient_and_study_information(image)

    def _copy_attribute(self, dataset: Dataset, keyword: str) -> None:
        self.tags.add(Tag(keyword))


@dataclass(frozen=True)
class ScoredFilm:
    """A film's header and the result that is sent.

    Parameters
    ----------
    header
        As the film has it, without pixels; attributes of type 2 are there, empty if the film has
        none.
    sha256
        Of the film as received.
    pneumonia_probability
        In ``[0, 1]``.
    threshold
        Of the operating point.
    scored_at
        Aware.
    predecessor_scored_at
        When the result was made that this one replaces; None for a film's first.
    activation_map, heat_scale
        As in `Prediction`; None if they were not stored.
    extent
        How much of the patient's lungs the heat covers; None if that or the side is unknown.
    beside
        The other films of the study that were there when this one was scored.
    marks
        What readers had marked on the film when its result was to be sent.
    """

    header: Dataset
    sha256: str
    flagged: bool
    pneumonia_probability: float
    threshold: float
    operating_point_name: str
    model_version: str
    scored_at: datetime
    predecessor_scored_at: datetime | None = None
    activation_map: ActivationMap | None = None
    heat_scale: HeatScale | None = None
    extent: Extent | None = None
    beside: tuple[Header, ...] = ()
    marks: tuple[Measurement, ...] = ()

    @cached_property
    def evidence(self) -> Dataset:
        """The header without what highdicom refuses; `completed` sets the film's own values."""
        return _acceptable(self.header)

    @cached_property
    def subject(self) -> list[Element]:
        """What every object has of its film's patient and study, encoded once for all of them."""
        terms = self.evidence.get("SpecificCharacterSet")
        known = self.evidence.keys() & _subject_tags(self.evidence.SOPClassUID) - _OWN
        return [
            encoded("StudyInstanceUID", self.evidence.StudyInstanceUID),
            *(encoded_of(self.header, tag, terms) for tag in _OWN),
            *(encoded_of(self.evidence, tag, terms) for tag in known),
        ]

    def instance_uid(self, kind: ResultKind) -> str:
        """Return the SOP Instance UID of one of the objects."""
        return self._uid("instance", kind, self.scored_at)

    def series_uid(self, kind: ResultKind) -> str:
        """Return the Series Instance UID of one of the objects: each has a series of its own."""
        return self._uid("series", kind, self.scored_at)

    @property
    def tracking_uid(self) -> str:
        """UID of what is followed on this film, whichever model judges it."""
        return derived_uid("tracking", text(self.header, "SOPInstanceUID"), self.sha256)

    def zone_uid(self, zone: str) -> str:
        """Return the UID of the heat in a zone, whichever model judges the film."""
        return derived_uid("zone", zone, text(self.header, "SOPInstanceUID"), self.sha256)

    def predecessor(self, kind: ResultKind) -> Dataset | None:
        """Return the identity of the instance that this one replaces; None for a film's first."""
        before = self.predecessor_scored_at
        if before is None:
            return None
        replaced = Dataset()
        for keyword in ("StudyInstanceUID", *PATIENT_AND_STUDY):
            setattr(replaced, keyword, self.evidence.get(keyword))
        replaced.SeriesInstanceUID = self._uid("series", kind, before)
        replaced.SOPInstanceUID = self._uid("instance", kind, before)
        return replaced

    @property
    def local_time(self) -> datetime:
        """When it was scored, in the time zone of the film's own times, else of this computer."""
        offset = text(self.header, "TimezoneOffsetFromUTC")
        return self.scored_at.astimezone(_zone(offset))

    @property
    def verdict(self) -> str:
        """What the program says of the film; never that something is absent."""
        return "FLAGGED" if self.flagged else "NOT FLAGGED"

    def _uid(self, what: str, kind: ResultKind, moment: datetime) -> str:
        return derived_uid(
            *(what, kind.value, text(self.header, "SOPInstanceUID"), self.sha256),
            moment.astimezone(UTC).isoformat(),
        )


@cache
def _subject_tags(sop_class_uid: str) -> set[BaseTag]:
    return _Subject(sop_class_uid).tags - {Tag("StudyInstanceUID")}


def film_header(film: Dataset) -> Dataset:
    """Return a film's header, without its pixels, and completed with empty attributes.

    Raises
    ------
    NotAFilmError
        If it lacks one of the UIDs that a result must name.
    """
    silence_warnings("highdicom")
    if not all(text(film, keyword) for keyword in NEEDED):
        raise NotAFilmError(
            "The film's DICOM header names no study, series or instance to put a result beside."
        )
    header = film[:_PIXELS]
    for keyword in PATIENT_AND_STUDY:
        if keyword not in header:
            setattr(header, keyword, "")
    return header


def _acceptable(header: Dataset) -> Dataset:
    """Return a copy in which values and character sets that the standard does not know are empty.

    Text in a character set that the file names wrongly becomes UTF-8.
    """
    copied = copy(header)
    for keyword, is_legal in _LEGAL.items():
        if not is_legal(text(copied, keyword)):
            setattr(copied, keyword, "")
    terms = texts(header, "SpecificCharacterSet")
    if len(terms) > 1 and not terms[0]:
        terms[0] = _DEFAULT_REPERTOIRE
    if not {term for term in terms if term} <= _CHARACTER_SETS:
        copied.decode()
        terms = [_UTF_8]
    if any(terms):
        copied.SpecificCharacterSet = terms
    return copied


def _is_date(value: str) -> bool:
    return not value or (len(value) == 8 and _parses(value, "%Y%m%d"))


def _is_time(value: str) -> bool:
    return re.fullmatch(r"(([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?)?", value) is not None


def _parses(value: str, pattern: str) -> bool:
    try:
        datetime.strptime(value, pattern)
    except ValueError:
        return False
    return True


_LEGAL: dict[str, Callable[[str], bool]] = {
    "PatientBirthDate": _is_date,
    "StudyDate": _is_date,
    "StudyTime": _is_time,
    "PatientSex": lambda value: value in ("", "M", "F", "O"),
}


def _zone(offset: str) -> tzinfo | None:
    """Return the zone of (0008,0201) *Timezone Offset From UTC*; None if there is no legal one."""
    if not re.fullmatch(r"[+-]\d{4}", offset, re.ASCII):
        return None
    try:
        return datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        return None
