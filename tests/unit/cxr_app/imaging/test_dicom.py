"""DICOM files as hospitals write them, and as they must not be: each read, or refused in words."""

import logging
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from pydicom import DataElement, Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from cxr_app.errors import (
    FilmError,
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    UnsupportedImageError,
)
from cxr_app.imaging import dicom
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.limits import MAX_FRAMES
from cxr_app.radiograph import Header
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    encapsulated_dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
    with_elements,
)

FOLDER = Path(__file__).resolve().parents[3] / "data"
UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
COMPRESSED = [
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000Lossless,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    HTJ2K,
]
MPEG2 = "1.2.840.10008.1.2.4.100"


def header_of(**elements: Any) -> Header:
    header = read_radiograph(dicom_bytes(radiograph_dataset(**elements))).header
    assert header is not None
    return header


def with_raw_text(keyword: str, text: bytes) -> bytes:
    """Write a value that the writer itself would refuse, in place of a long legal one."""
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


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_film_is_the_same_in_every_lossless_syntax(syntax: str) -> None:
    radiograph = read_radiograph(compressed_dicom_bytes(radiograph_dataset(), syntax))
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)


def test_jpeg_within_dicom_is_the_film_to_a_few_grey_levels() -> None:
    pixels = film_pixels(bits=8)
    radiograph = read_radiograph(jpeg_dicom_bytes(pixels))
    assert np.abs(radiograph.image - pixels / 255).mean() < 0.02


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_file_without_preamble_and_meta_header_is_read_where_sound(syntax: str) -> None:
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
def test_illegal_value_stays_empty(keyword: str, field: str, text: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the writer's opinion of the placeholder
        data = with_raw_text(keyword, text)
    assert getattr(read_radiograph(data).header, field) == ""


def test_missing_values_stay_empty() -> None:
    header = header_of(PatientName=None, StudyDate=None, Modality=None, PatientAge=None)
    assert (header.patient_name, header.study_date, header.modality, header.patient_age) == (
        ("",) * 4
    )


def test_control_characters_are_taken_out() -> None:
    data = with_raw_text("PatientName", b"Ada\x1b[31m\x00\r\nAda")
    header = read_radiograph(data).header
    assert header is not None
    assert header.patient_name == "Ada[31mAda"


def test_several_values_where_one_belongs_stay_text() -> None:
    assert header_of(PatientID="1\\2").patient_id == "1\\2"


@pytest.mark.parametrize(
    ("elements", "remark"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned-in annotation"),
        ({"NumberOfFrames": 2, "PixelData": film_pixels().tobytes() * 2}, "2 frames"),
    ],
)
def test_what_a_reader_should_know_is_remarked(elements: dict[str, Any], remark: str) -> None:
    radiograph = read_radiograph(dicom_bytes(radiograph_dataset(**elements)))
    assert any(remark in line for line in radiograph.remarks)
    assert np.allclose(radiograph.image, film_pixels() / 4095, atol=1e-6)


def test_overlay_is_remarked() -> None:
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


def test_report_without_image_is_named() -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = BasicTextSRStorage, "1.2.3"
    with pytest.raises(UnsupportedImageError, match="of the kind Basic Text SR"):
        read_radiograph(dicom_bytes(ds))


def test_directory_of_a_disc_is_named() -> None:
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
def test_what_is_no_data_set_is_no_film(data: bytes) -> None:
    with pytest.raises(NotAFilmError):
        read_radiograph(data)


def test_syntax_without_decoder_is_named() -> None:
    ds = dcmread(BytesIO(compressed_dicom_bytes(radiograph_dataset(), RLELossless)))
    ds.file_meta.TransferSyntaxUID = UID(MPEG2)
    buffer = BytesIO()
    dcmwrite(buffer, ds)
    with pytest.raises(PixelDataError, match=r"MPEG2 .* no decoder"):
        read_radiograph(buffer.getvalue())


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_htj2k_is_the_film_it_was_made_of(syntax: str) -> None:
    """Encoded by OpenJPH, for there is no encoder here."""
    codestream = (FOLDER / "film.j2c").read_bytes()
    ds = radiograph_dataset(film_pixels(80, 72))
    radiograph = read_radiograph(encapsulated_dicom_bytes(ds, codestream, syntax))
    assert np.allclose(radiograph.image, film_pixels(80, 72) / 4095, atol=1e-6)
    assert radiograph.header is not None
    assert radiograph.header.transfer_syntax.startswith("High-Throughput JPEG 2000")


def of_12_bits(**elements: Any) -> bytes:
    """A drawn film as JPEG extended, encoded by DCMTK, for there is no encoder here."""
    codestream = (FOLDER / "film_of_12_bits.jpg").read_bytes()
    ds = radiograph_dataset(film_pixels(80, 72), **elements)
    return encapsulated_dicom_bytes(ds, codestream, JPEGExtended12Bit)


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_jpeg_of_12_bits_is_the_film_it_was_made_of(polarity: str) -> None:
    elements: dict[str, Any] = {"photometric_interpretation": polarity, "window": (1800, 3000)}
    film = read_radiograph(of_12_bits(**elements)).image
    original = radiograph_dataset(film_pixels(80, 72), **elements)
    difference = np.abs(film - read_radiograph(dicom_bytes(original)).image)
    assert difference.max() < 0.05
    assert difference.mean() < 0.01


def test_what_jpeg_moves_beyond_the_stored_bits_is_white() -> None:
    whole = 4095 * read_radiograph(of_12_bits()).image
    film = read_radiograph(of_12_bits(bits_stored=10)).image
    assert np.abs(film - whole.clip(0, 1023) / 1023).max() < 1e-4


def test_signed_jpeg_of_12_bits_keeps_its_sign() -> None:
    stored = np.rint(4095 * read_radiograph(of_12_bits()).image)
    softcopy = read_softcopy(of_12_bits(PixelRepresentation=1))
    values = softcopy.origin + softcopy.step * softcopy.values
    assert (values == np.where(stored < 2048, stored, stored - 4096)).all()


def test_damaged_jpeg_of_12_bits_is_refused_in_words() -> None:
    data = of_12_bits()
    with pytest.raises(PixelDataError, match=r"JPEG Extended.* damaged or cut short"):
        read_radiograph(data.replace(b"\xff\xda", b"\xff\xd9"))


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_every_compressed_syntax_names_itself_and_its_missing_decoder(
    syntax: UID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encapsulated_dicom_bytes(radiograph_dataset(), b"\0" * 64, syntax)
    missing = SimpleNamespace(
        is_encapsulated=True, available_plugins=(), missing_dependencies=["name - requires name"]
    )
    monkeypatch.setattr(dicom, "get_decoder", lambda _: missing)
    words = f"{re.escape(syntax.name)}, and its decoder is missing: name - requires name"
    with pytest.raises(PixelDataError, match=words):
        read_radiograph(data)


def test_12_bit_jpeg_names_the_missing_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    data = of_12_bits()
    missing = SimpleNamespace(
        is_encapsulated=True, available_plugins=(), missing_dependencies=["gdcm - requires gdcm"]
    )
    monkeypatch.setattr(dicom, "get_decoder", lambda _: missing)
    with pytest.raises(PixelDataError, match=r"JPEG Extended.* more than 8 bits, .*gdcm"):
        read_radiograph(data)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_small_header_with_a_huge_codestream_is_refused_before_it_unfolds(syntax: str) -> None:
    data = compressed_dicom_bytes(radiograph_dataset(), syntax)
    rows, columns = film_pixels().shape
    size = np.array([columns, rows] if syntax == JPEG2000Lossless else [rows, columns])
    width = ">u4" if syntax == JPEG2000Lossless else ">u2"
    huge = np.array([65_000, 65_000], width).tobytes()
    assert data.count(size.astype(width).tobytes()) >= 1
    with pytest.raises(FilmTooLargeError, match="65000 × 65000"):
        read_radiograph(data.replace(size.astype(width).tobytes(), huge))


def test_deflate_bomb_is_refused_before_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_UNFOLDED_BYTES", 4_000_000)
    ds = radiograph_dataset()
    ds.add_new(0x00091001, "OB", bytes(5_000_000))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(FilmTooLargeError, match="unfold to more than"):
        read_radiograph(buffer.getvalue())


def test_header_of_endless_elements_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dicom, "MAX_READS", 2_000)
    items = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 3_000
    sequence = b"\xe1\x7f\x01\x10SQ\0\0\xff\xff\xff\xff" + items
    with pytest.raises(FilmTooLargeError, match="more elements than any film needs"):
        read_radiograph(dicom_bytes() + sequence)


@pytest.mark.parametrize("representation", [b"UT", b"US", b"LO", b"SQ", b"UN"])
def test_compressed_pixels_of_a_false_kind_are_refused_and_leave_no_decoder_behind(
    representation: bytes,
) -> None:
    read_radiograph(jpeg_dicom_bytes(film_pixels(bits=8)))
    before = len(psutil.Process().children())
    data = jpeg_dicom_bytes(film_pixels(bits=8))
    element = b"\xe0\x7f\x10\x00"
    with suppress(FilmError):
        read_radiograph(data.replace(element + b"OB", element + representation))
    assert len(psutil.Process().children()) == before


def test_text_in_place_of_a_uid_reaches_no_message() -> None:
    data = dicom_bytes(radiograph_dataset(Rows=None, PixelData=None), whole=False)
    uid = ComputedRadiographyImageStorage.encode()
    with pytest.raises(UnsupportedImageError) as refusal:
        read_radiograph(data.replace(uid, b"Lovelace^Ada".ljust(len(uid), b"!")))
    assert "Lovelace" not in str(refusal.value)


def test_deeply_nested_sequences_are_refused_in_words() -> None:
    ds = radiograph_dataset()
    start = dicom_bytes(ds)[:-1]
    nest = b"\x09\x00\x02\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    with pytest.raises(FilmError):
        read_radiograph(start[:400] + nest * 5_000)


def test_odd_values_reach_neither_log_nor_warnings(
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


def test_interruption_of_a_decoder_is_no_damage_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dicom, "pixel_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_radiograph(dicom_bytes())


def test_lossless_jpeg_is_decoded_apart() -> None:
    pixels = film_pixels(bits=8)
    data = jpeg_dicom_bytes(pixels)
    # GDCM reads the codestream for what it is, here JPEG baseline.
    data = data.replace(JPEGBaseline8Bit.encode(), JPEGLossless.encode())
    assert np.abs(read_radiograph(data).image - pixels / 255).mean() < 0.02
    damaged = data.replace(b"\xff\xda", b"\xff\xd9")
    with pytest.raises(PixelDataError, match=r"JPEG Lossless.* damaged or cut short"):
        read_radiograph(damaged)


@pytest.mark.parametrize("data", [dicom_bytes(), jpeg_dicom_bytes(film_pixels(bits=8))])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_truncated_file_is_said_to_be_cut_short(data: bytes, share: float) -> None:
    with pytest.raises(PixelDataError, match="cut short"):
        read_radiograph(data[: int(len(data) * share)])
