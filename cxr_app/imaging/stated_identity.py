"""What an object that is not kept says it is, as far as its header can be read.

For the answer to its sender, which must know what to send again, and for the audit.

References
----------
DICOM PS3.5 7.1 (elements are in order of their tags), PS3.10 7.1 (meta header).
"""

import zlib
from io import BytesIO

from pydicom import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cxr_app.errors import ShortageError
from cxr_app.imaging.dicom import end_of_file_meta
from cxr_app.imaging.dicom_prefix import PREFIX, is_dicom
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, text
from cxr_app.imaging.film_identity import FilmIdentity, legal_uid
from cxr_app.imaging.parser_warnings import silence_warnings

STATED_BYTES = 256 * 1024
"""Beginning of a file that is read; the identity stands in its first kilobytes."""
_LAST_TAG = 0x00100021
"""(0010,0021) *Issuer of Patient ID*."""


def stated_identity(data: bytes | memoryview) -> FilmIdentity | None:
    """Read what the beginning of a file says it is; None if that names neither object nor patient.

    The file may be damaged, cut short or of any size, and nothing is raised. UIDs that the dataset
    does not state are those of the meta header. The hash of the dataset is empty.
    """
    try:
        beginning = bytes(data[:STATED_BYTES])
        return _stated(beginning) if is_dicom(beginning) else None
    except (MemoryError, ShortageError):
        return None


def _stated(beginning: bytes) -> FilmIdentity | None:
    silence_warnings("pydicom")
    start = PREFIX.stop if beginning[PREFIX] == b"DICM" else 0
    end = end_of_file_meta(beginning, start)
    meta = _explicit(beginning[start:end])
    if DeflatedExplicitVRLittleEndian.encode() in beginning[start:end]:
        ds = _inflated(beginning[end:])
    else:
        ds = _first_elements(beginning)
    found = FilmIdentity(
        dataset_sha256="",
        sop_instance_uid=legal_uid(ds, "SOPInstanceUID")
        or legal_uid(meta, "MediaStorageSOPInstanceUID"),
        sop_class_uid=legal_uid(ds, "SOPClassUID") or legal_uid(meta, "MediaStorageSOPClassUID"),
        is_own_result=False,
        patient_id=text(ds, "PatientID"),
        issuer_of_patient_id=text(ds, "IssuerOfPatientID"),
    )
    is_named = found.sop_instance_uid or found.sop_class_uid or found.patient_id
    return found if is_named else None


def _first_elements(beginning: bytes) -> Dataset:
    """Read the elements up to the patient's; none if they are damaged."""
    try:
        return read_partial(BytesIO(beginning), stop_when=_is_past, force=True)
    except DICOM_DAMAGE:
        return Dataset()


def _inflated(deflated: bytes) -> Dataset:
    try:
        return _explicit(zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated, STATED_BYTES))
    except zlib.error:
        return Dataset()


def _explicit(encoded: bytes) -> Dataset:
    try:
        return read_dataset(
            BytesIO(encoded), is_implicit_VR=False, is_little_endian=True, stop_when=_is_past
        )
    except DICOM_DAMAGE:
        return Dataset()


def _is_past(tag: int, _representation: str | None, _length: int) -> bool:
    return tag > _LAST_TAG
