"""Whose film it is: never another patient's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.patient_identity import is_patient_id, same_patient
from cxr_app.radiograph import Header

ANNA = Header(
    patient_id="1001",
    issuer_of_patient_id="HOSP_A",
    patient_name="Alpha^Anna",
    patient_birth_date="20210304",
    patient_sex="F",
)


@pytest.mark.parametrize(
    "patient_id",
    [
        *("", "0", "000000", "-", "9999", "XXXX", "?", "123456", "12345678", "987654321"),
        *("ANONYMOUS", "anonymous", "Anonymized", "ANONYMISED", "ANON", "ANON000", "UNKNOWN"),
        *("No ID", "n/a", "N.A.", "none", "NULL", "TEST", "Test Patient", "DEIDENTIFIED"),
        *("DE-IDENTIFIED", "PATIENT ID", "REMOVED", "UNBEKANNT", "John Doe"),
    ],
)
def test_ids_that_are_no_ids_match_nobody(patient_id: str) -> None:
    assert not is_patient_id(patient_id)
    patient = replace(ANNA, patient_id=patient_id)
    assert not same_patient(patient, patient)


@pytest.mark.parametrize(
    "patient_id", ["1001", "P-1", "ANON-0017", "00012345", "7", "TEST-4711", "Q8", "A1B2"]
)
def test_ids_that_tell_patients_apart_do(patient_id: str) -> None:
    assert is_patient_id(patient_id)
    patient = replace(ANNA, patient_id=patient_id)
    assert same_patient(patient, patient)


@pytest.mark.parametrize(
    "other",
    [
        {"issuer_of_patient_id": "HOSP_B"},
        {"patient_sex": "M"},
        {"patient_birth_date": "20210305"},
        {"patient_name": "Beta^Bernd"},
        {"patient_name": "Beta^Anna"},
        {"patient_name": "Alpha^Bernd"},
        {"patient_id": "1002"},
        {"issuer_of_patient_id": "", "patient_name": "", "patient_birth_date": ""},
    ],
)
def test_a_contradiction_is_another_patient(other: dict[str, str]) -> None:
    assert not same_patient(ANNA, replace(ANNA, **other))
    assert not same_patient(replace(ANNA, **other), ANNA)


@pytest.mark.parametrize(
    "other",
    [
        {"issuer_of_patient_id": " hosp_a"},
        {"issuer_of_patient_id": ""},
        {"patient_sex": ""},
        {"patient_birth_date": ""},
        {"patient_name": ""},
        {"patient_name": "ANONYMOUS"},
        {"patient_name": "ALPHA^ANNA^MARIA^Dr"},
        {"patient_name": "Alpha, Anna"},
        {"patient_name": "Alpha^A"},
        {"patient_name": "Alpha^Anna=山田^太郎"},
        {"patient_name": "=山田^太郎"},
    ],
)
def test_what_is_missing_or_written_otherwise_contradicts_nothing(other: dict[str, str]) -> None:
    assert same_patient(ANNA, replace(ANNA, **other))
    assert same_patient(replace(ANNA, **other), ANNA)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Müller^Jürgen", "MUELLER^JUERGEN", True),
        ("Ångström^José", "Angstrom^Jose", True),
        ("Yamada^Tarou=山田^太郎", "山田^太郎", True),
        ("=山田^太郎", "=山田^花子", False),
        ("Yamada^Tarou=山田^太郎", "Yamada^Hanako=山田^太郎", True),
    ],
)
def test_names_are_compared_in_any_script(one: str, other: str, same: bool) -> None:
    patients = (replace(ANNA, patient_name=name) for name in (one, other))
    assert same_patient(*patients) is same


headers = st.builds(
    Header,
    patient_id=st.sampled_from(["", "0", "1001", "1002", "ANONYMOUS"]),
    issuer_of_patient_id=st.sampled_from(["", "A", "B"]),
    patient_name=st.sampled_from(["", "Alpha^Anna", "Beta^Bernd", "ANON"]),
    patient_birth_date=st.sampled_from(["", "20210304", "20200101"]),
    patient_sex=st.sampled_from(["", "F", "M", "O"]),
)


@given(one=headers, other=headers)
def test_patients_that_differ_in_anything_known_are_never_the_same(
    one: Header, other: Header
) -> None:
    assert same_patient(one, other) == same_patient(other, one)
    if same_patient(one, other):
        assert one.patient_id == other.patient_id in ("1001", "1002")
        for name in ("issuer_of_patient_id", "patient_birth_date", "patient_sex"):
            assert len({getattr(one, name), getattr(other, name)} - {""}) < 2
        assert {one.patient_name, other.patient_name} != {"Alpha^Anna", "Beta^Bernd"}
