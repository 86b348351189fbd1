"""What an object that is not kept says it is: read from any damage, and never raised."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxr_app.imaging.dicom import end_of_file_meta
from cxr_app.imaging.film_identity import FilmIdentity
from cxr_app.imaging.stated_identity import STATED_BYTES, stated_identity
from tests.support.factories import dicom_bytes, radiograph_dataset

NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def film() -> Dataset:
    return radiograph_dataset(PatientID="QX-1", IssuerOfPatientID="North")


def expected(ds: Dataset) -> FilmIdentity:
    uids = str(ds.SOPInstanceUID), str(ds.SOPClassUID)
    return FilmIdentity("", *uids, False, "QX-1", "North")


@pytest.mark.parametrize("syntax", [*NATIVE, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("kept", [1.0, 0.9])
def test_a_film_that_is_cut_short_is_named(syntax: str, kept: float) -> None:
    ds = film()
    data = dicom_bytes(ds, syntax)
    assert stated_identity(data[: int(kept * len(data))]) == expected(ds)


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_dataset_without_a_meta_header_is_named(syntax: str) -> None:
    ds = film()
    assert stated_identity(dicom_bytes(ds, syntax, whole=False)[:-100]) == expected(ds)


def test_a_header_that_is_damaged_behind_the_patient_is_named() -> None:
    ds = film()
    data = bytearray(dicom_bytes(ds))
    data[data.index(b"\x10\x00\x10\x10") :] = b"\x10\x00\x10\x10??" * 1000
    assert stated_identity(bytes(data)) == expected(ds)


def test_of_a_large_file_only_the_beginning_is_read() -> None:
    ds = film()
    whole = dicom_bytes(ds) + bytes(4 * STATED_BYTES)
    assert stated_identity(memoryview(whole)) == expected(ds)


def test_an_inflated_dataset_is_bounded() -> None:
    data = dicom_bytes(film(), DeflatedExplicitVRLittleEndian)
    end = end_of_file_meta(data, 132)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(bytes(100 * 2**20)) + packer.flush()
    assert stated_identity(data[:end] + bomb) is not None  # by its meta header


def test_uids_that_only_the_meta_header_states_are_its() -> None:
    ds = film()
    data = dicom_bytes(ds)
    start = end_of_file_meta(data, 132)
    found = stated_identity(data[:start] + b"\x08\x00\x05\x00??" + bytes(20))
    assert found is not None
    assert (found.sop_instance_uid, found.patient_id) == (str(ds.SOPInstanceUID), "")


@pytest.mark.parametrize("data", [b"", b"no DICOM", bytes(1000), bytes(128) + b"DICM"])
def test_what_names_nothing_is_unknown(data: bytes) -> None:
    assert stated_identity(data) is None


@given(st.data(), st.sampled_from([*NATIVE, DeflatedExplicitVRLittleEndian]))
def test_no_damage_raises(draw: st.DataObject, syntax: str) -> None:
    data = bytearray(dicom_bytes(film(), syntax)[:2000])
    for _ in range(draw.draw(st.integers(1, 20))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    stated_identity(bytes(data[: draw.draw(st.integers(0, len(data)))]))
