"""What a DICOM header says against scoring its film, where no column of the worklist holds it."""

from pydicom import Dataset

from cxr_app.imaging.dicom_values import items, text
from cxr_app.imaging.own_results import is_own_result
from cxr_app.view_words import LATERAL, OBLIQUE, REASONS, stated_view

FOR_PROCESSING = (
    "it holds the detector's raw values (For Processing), which are not meant to be seen. Send the "
    "image For Presentation of the same exposure."
)
OWN_RESULT = "it is a result of this program and no film. Send the film that it was made from."

_RAW = {
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray Image Storage - For Processing
    "1.2.840.10008.5.1.4.1.1.1.2.1",  # Digital Mammography
    "1.2.840.10008.5.1.4.1.1.1.3.1",  # Digital Intra-Oral
}
_VIEWS = {
    ("SCT", "399067008"): LATERAL,
    ("SCT", "399198007"): LATERAL,  # right lateral
    ("SCT", "399173006"): LATERAL,  # left lateral
    ("SCT", "399352003"): LATERAL,  # latero-medial
    ("SCT", "399260004"): LATERAL,  # medio-lateral
    ("SCT", "30730003"): LATERAL,  # sagittal
    ("SRT", "R-102CD"): LATERAL,
    ("SRT", "R-10232"): LATERAL,
    ("SRT", "R-10236"): LATERAL,
    ("SRT", "R-10228"): LATERAL,
    ("SRT", "R-10224"): LATERAL,
    ("SRT", "G-A145"): LATERAL,
    ("SCT", "399182000"): OBLIQUE,
    ("SCT", "399236003"): OBLIQUE,  # right oblique
    ("SCT", "399184004"): OBLIQUE,  # left oblique
    ("SCT", "399356000"): OBLIQUE,  # right anterior oblique
    ("SCT", "399135007"): OBLIQUE,  # left anterior oblique
    ("SCT", "399038007"): OBLIQUE,  # right posterior oblique
    ("SCT", "399006002"): OBLIQUE,  # left posterior oblique
    ("SRT", "R-102C1"): OBLIQUE,
    ("SRT", "R-10234"): OBLIQUE,
    ("SRT", "R-10238"): OBLIQUE,
    ("SRT", "R-40985"): OBLIQUE,
    ("SRT", "R-10220"): OBLIQUE,
    ("SRT", "R-10210"): OBLIQUE,
    ("SRT", "R-10212"): OBLIQUE,
}
"""Views of PS3.16 CID 4010 by coding scheme and code; SRT and SNM3 are older names of SCT."""


def objection(ds: Dataset) -> str:
    """Return why a film must not be scored, the end of a sentence; empty if nothing says so.

    References
    ----------
    DICOM PS3.3 C.8.11.1 (Presentation Intent Type) and C.8.11.5 (View Code Sequence).
    """
    if is_own_result(ds):
        return OWN_RESULT
    intent = text(ds, "PresentationIntentType").upper()
    if intent == "FOR PROCESSING" or (not intent and text(ds, "SOPClassUID") in _RAW):
        return FOR_PROCESSING
    return REASONS.get(_coded_view(ds) or _device_view(ds), "")


def _coded_view(ds: Dataset) -> str:
    for item in items(ds, "ViewCodeSequence")[:1]:
        scheme = text(item, "CodingSchemeDesignator").upper()
        code = ("SRT" if scheme in ("SNM3", "99SDM") else scheme, text(item, "CodeValue").upper())
        return _VIEWS.get(code, "") or stated_view(text(item, "CodeMeaning"))
    return ""


def _device_view(ds: Dataset) -> str:
    """Return the view that some CR readers write into the description of their processing."""
    return stated_view(text(ds, "AcquisitionDeviceProcessingDescription"))
