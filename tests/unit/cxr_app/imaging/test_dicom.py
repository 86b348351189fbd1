"""DICOM files, sound or damaged: each is read, or refused in one sentence."""

import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import DataElement, Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    UnsupportedImageError,
)
from cxr_app.imaging import dicom
from cxr_app.imaging.intake import read_radiograph
from cxr_app.imaging.limits import MAX_FRAMES
from cxr_app.radiograph import Header
from tests.support.factories import (
    dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
    with_elements,
)

UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def header_of(**elements: Any) -> Header:
    header = read_radiograph(dicom_bytes(radiograph_dataset(**elements))).header
    assert header is not None
    return header


def with_raw_text(keyword: str, text: bytes) -> bytes:
    """Return a film with a value that pydicom would refuse to write."""
    placeholder = "12345678" * (1 + len(text) // 8)
    data = dicom_bytes(with_elements(radiograph_dataset(), **{keyword: placeholder}))
    assert placeholder.encode() in data
    return data.replace(placeholder.encode(), text.ljust(len(placeholder)))


@pytest.mark.parametrize("syntax", [*UNCOMPRESSED, DeflatedExplicitVRLittleEndian])
def test_film_is_the_same_in_every_uncompressed_syntax(syntax: str) -> None:
    radiograph = read_radiograph(dicom_bytes(radiograph_dataset(), syntax))
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)
    assert radiograph.header is not None
    assert radiograph.header.transfer_syntax.startswith(("Implicit", "Explicit", "Deflated"))


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_sound_file_without_preamble_and_meta_header_is_read(syntax: str) -> None:
    radiograph = read_radiograph(dicom_bytes(radiograph_dataset(), syntax, whole=False))
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)
    assert radiograph.header is not None
    assert radiograph.header.sop_class_uid == "1.2.840.10008.5.1.4.1.1.1"


def test_header_states_the_facts_by_keyword() -> None:
    header = header_of(BurnedInAnnotation="NO")
    assert header.patient_name == "Phantom^Ada"
    assert header.patient_id == "P-1"
    assert (header.patient_birth_date, header.patient_age, header.patient_sex) == (
        "20230501",
        "002Y",
        "F",
    )
    assert (header.study_date, header.study_time) == ("20260105", "083000")
    assert (header.view_position, header.patient_orientation) == ("AP", "L\\F")
    assert header.image_type == "ORIGINAL\\PRIMARY"
    assert header.bits_stored == "12"
    assert header.burned_in_annotation == "NO"
    assert header.study_instance_uid.startswith("1.2.826.")


def test_name_is_decoded_by_its_character_set() -> None:
    name = "Ivanov^Иван"
    header = header_of(SpecificCharacterSet="ISO_IR 144", PatientName=name)
    assert header.patient_name == name


@pytest.mark.parametrize(
    ("keyword", "field", "text"),
    [
        ("PatientAge", "patient_age", b"five"),
        ("StudyDate", "study_date", b"last week"),
        ("StudyTime", "study_time", b"noon"),
        ("PatientSex", "patient_sex", b"unknown"),
        ("StudyInstanceUID", "study_instance_uid", b"1.2.<script>"),
    ],
)
def test_illegal_value_is_empty(keyword: str, field: str, text: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of the placeholder
        data = with_raw_text(keyword, text)
    assert getattr(read_radiograph(data).header, field) == ""


def test_missing_values_are_empty() -> None:
    header = header_of(PatientName=None, StudyDate=None, Modality=None, PatientAge=None)
    assert (header.patient_name, header.study_date, header.modality, header.patient_age) == (
        ("",) * 4
    )


def test_control_characters_are_removed() -> None:
    data = with_raw_text("PatientName", b"Ada\x1b[31m\x00\r\nAda")
    header = read_radiograph(data).header
    assert header is not None
    assert header.patient_name == "Ada[31mAda"


def test_several_values_instead_of_one_are_joined_as_text() -> None:
    assert header_of(PatientID="1\\2").patient_id == "1\\2"


@pytest.mark.parametrize(
    ("elements", "remark"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned-in annotation"),
        ({"NumberOfFrames": 2, "PixelData": film_pixels().tobytes() * 2}, "2 frames"),
    ],
)
def test_film_has_a_remark_for_its_reader(elements: dict[str, Any], remark: str) -> None:
    radiograph = read_radiograph(dicom_bytes(radiograph_dataset(**elements)))
    assert any(remark in line for line in radiograph.remarks)
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)


def test_overlay_has_a_remark() -> None:
    ds = radiograph_dataset()
    ds.add(DataElement(0x60000010, "US", ds.Rows))
    assert any("overlay" in remark for remark in read_radiograph(dicom_bytes(ds)).remarks)


@pytest.mark.parametrize(
    ("elements", "error", "words"),
    [
        ({"Rows": 0}, PixelDataError, "no pixels \\(0 × 144\\)"),
        ({"Rows": 60_000, "Columns": 60_000}, FilmTooLargeError, "more than the 64 million"),
        ({"NumberOfFrames": MAX_FRAMES + 1}, FilmTooLargeError, "frames"),
        ({"PhotometricInterpretation": "HSV"}, UnsupportedImageError, "HSV; allowed are"),
        ({"PhotometricInterpretation": None}, UnsupportedImageError, "missing; allowed are"),
        ({"SamplesPerPixel": 3}, PixelDataError, "Samples per Pixel"),
        ({"PixelData": b"\0\0"}, PixelDataError, "damaged or cut short"),
        ({"PixelData": None}, PixelDataError, "ends before its pixel data"),
        ({"BitsAllocated": None}, PixelDataError, "damaged or cut short"),
    ],
)
def test_damaged_file_is_refused_in_one_sentence(
    elements: dict[str, Any], error: type[FilmError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_radiograph(dicom_bytes(radiograph_dataset(**elements)))


def test_report_without_image_is_refused_by_its_kind() -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = BasicTextSRStorage, "1.2.3"
    with pytest.raises(UnsupportedImageError, match="of the kind Basic Text SR"):
        read_radiograph(dicom_bytes(ds))


def test_dicomdir_is_refused_by_its_name() -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3"
    ds.DirectoryRecordSequence = []
    with pytest.raises(UnsupportedImageError, match="DICOMDIR"):
        read_radiograph(dicom_bytes(ds))


@pytest.mark.parametrize(
    "data",
    [
        b"This text is named film.dcm" * 20,
        b"\x08\x00" + b"This begins like a group number only" * 9,
        bytes(128) + b"DICM",
        bytes(128) + b"DICM" + b"nothing of sense" * 9,
        bytes(4000),
    ],
    ids=["text", "text after a group number", "prefix alone", "prefix and text", "zeros"],
)
def test_file_without_data_set_is_not_a_film(data: bytes) -> None:
    with pytest.raises(NotAFilmError):
        read_radiograph(data)


def test_deflate_bomb_is_refused_before_it_inflates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_INFLATED_BYTES", 4_000_000)
    ds = radiograph_dataset()
    ds.add_new(0x00091001, "OB", bytes(5_000_000))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(FilmTooLargeError, match="inflate to more than"):
        read_radiograph(buffer.getvalue())


def test_header_with_too_many_elements_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dicom, "MAX_READS", 2_000)
    items = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 3_000
    sequence = b"\xe1\x7f\x01\x10SQ\0\0\xff\xff\xff\xff" + items
    with pytest.raises(FilmTooLargeError, match="more elements than any film needs"):
        read_radiograph(dicom_bytes() + sequence)


def test_text_instead_of_a_uid_is_not_quoted() -> None:
    data = dicom_bytes(radiograph_dataset(Rows=None, PixelData=None), whole=False)
    uid = ComputedRadiographyImageStorage.encode()
    with pytest.raises(UnsupportedImageError) as refusal:
        read_radiograph(data.replace(uid, b"Lovelace^Ada".ljust(len(uid), b"!")))
    assert "Lovelace" not in str(refusal.value)


def test_deeply_nested_sequences_are_refused() -> None:
    ds = radiograph_dataset()
    start = dicom_bytes(ds)[:-1]
    nest = b"\x09\x00\x02\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    with pytest.raises(FilmError):
        read_radiograph(start[:400] + nest * 5_000)


def test_odd_values_are_neither_logged_nor_warned_of(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = with_raw_text("StudyDate", b"Ada Lovelace")
    with caplog.at_level(logging.WARNING):
        read_radiograph(data)
    assert "Lovelace" not in caplog.text
    assert not [warning for warning in recwarn if "Lovelace" in str(warning.message)]


def test_many_threads_read_odd_files_at_once() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = with_raw_text("StudyDate", b"yesterday")
    with ThreadPoolExecutor(8) as pool:
        films = list(pool.map(read_radiograph, [data] * 64))
    assert all(np.array_equal(film.image, films[0].image) for film in films)


@pytest.mark.parametrize("data", [dicom_bytes(), jpeg_dicom_bytes(film_pixels(bits=8))])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_truncated_file_is_reported_as_cut_short(data: bytes, share: float) -> None:
    with pytest.raises(PixelDataError, match="cut short"):
        read_radiograph(data[: int(len(data) * share)])
