"""What identifies a DICOM film whatever program wrote its file: its UID, and its dataset's hash.

The meta header names the program that wrote the file, so that one film sent over the network and
uploaded has two files with different hashes.
"""

import hashlib
import re
from dataclasses import dataclass
from io import SEEK_END, BytesIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cxr_app.errors import FilmError, NotAFilmError, PixelDataError, raise_shortage
from cxr_app.imaging.dicom import (
    CountedReads,
    check_deflated,
    end_of_file_meta,
    header_of,
)
from cxr_app.imaging.dicom_prefix import PREFIX, is_dicom
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, text, transfer_syntax
from cxr_app.imaging.intake import read_softcopy
from cxr_app.imaging.own_results import is_own_result
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.radiograph import Header, Softcopy

_PIXEL_GROUP = 0x7FE0
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class FilmIdentity:
    """What identifies a DICOM film.

    Parameters
    ----------
    dataset_sha256
        Of the dataset as encoded, without preamble and meta header; 64 hexadecimal digits, or empty
        for an object that is not kept.
    sop_instance_uid, sop_class_uid
        Empty if the dataset states no legal one.
    is_own_result
        Whether it is a result of this program and no film.
    patient_id, issuer_of_patient_id
        As in `Header`.
    """

    dataset_sha256: str
    sop_instance_uid: str
    sop_class_uid: str
    is_own_result: bool
    patient_id: str = ""
    issuer_of_patient_id: str = ""


def film_identity(data: bytes) -> FilmIdentity | None:
    """Read what identifies a film from its header; None for other formats.

    Raises
    ------
    NotAFilmError
        If the header cannot be read.
    PixelDataError
        If the file ends before its pixel data does.
    FilmTooLargeError
        If the header is beyond `limits`.
    """
    if not is_dicom(data):
        return None
    ds = _header(data)
    start = end_of_file_meta(data, PREFIX.stop if data[PREFIX] == b"DICM" else 0)
    return FilmIdentity(
        dataset_sha256=hashlib.sha256(memoryview(data)[start:]).hexdigest(),
        sop_instance_uid=legal_uid(ds, "SOPInstanceUID"),
        sop_class_uid=legal_uid(ds, "SOPClassUID"),
        is_own_result=is_own_result(ds),
        patient_id=text(ds, "PatientID"),
        issuer_of_patient_id=text(ds, "IssuerOfPatientID"),
    )


def read_header(data: bytes) -> Header | None:
    """Read the header of a DICOM film without its pixels; None for other or damaged files."""
    try:
        return header_of(_header(data)) if is_dicom(data) else None
    except FilmError:
        return None


def same_picture(one: bytes, other: bytes) -> bool:
    """Check whether two files show the same film, pixel for pixel; damaged files do not.

    Raises
    ------
    ShortageError
        If this computer is short of memory or other resources.
    """
    try:
        first, second = (read_softcopy(each, in_subprocess=True) for each in (one, other))
    except FilmError:
        return False
    return np.array_equal(first.values, second.values) and _display(first) == _display(second)


def _display(film: Softcopy) -> tuple[object, ...]:
    return film.origin, film.step, film.inverted, film.windows


def _header(data: bytes) -> Dataset:
    """Read the elements before the pixel data."""
    silence_warnings("pydicom")
    reader = CountedReads(data)
    try:
        check_deflated(data)
        ds = dcmread(reader, stop_before_pixels=True, force=data[PREFIX] != b"DICM")
        is_cut = _is_cut(ds, reader)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        raise NotAFilmError(
            "The file is damaged: its DICOM header cannot be read. Export the film again."
        ) from error
    if is_cut:
        raise PixelDataError("The DICOM file is cut short: it ends too early. Send it again.")
    return ds


def _is_cut(ds: Dataset, reader: BytesIO) -> bool:
    """Check whether native pixel data, where the reader has stopped, is longer than the file."""
    if transfer_syntax(ds) == DeflatedExplicitVRLittleEndian:
        return False
    is_implicit, is_little = ds.original_encoding
    start = reader.tell()
    head = reader.read(8 if is_implicit else 12)
    end = reader.seek(0, SEEK_END)
    if int.from_bytes(head[:2], "little" if is_little else "big") != _PIXEL_GROUP:
        return False
    length = int.from_bytes(head[-4:], "little" if is_little else "big")
    return length != _UNDEFINED and start + len(head) + length > end


def legal_uid(ds: Dataset, keyword: str) -> str:
    """Return a UID of a dataset; empty if it is missing or no legal one."""
    found = text(ds, keyword)
    return found if re.fullmatch(r"[0-9.]{1,64}", found) else ""
