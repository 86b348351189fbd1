"""Which files are films at a door, what a disc lists, what a zip archive holds."""

import zipfile
from io import BytesIO
from pathlib import PurePosixPath

import pytest
from PIL import Image as PillowImage
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from cxr_app.errors import FilmTooLargeError, NotAFilmError, PixelDataError, UnsupportedImageError
from cxr_app.imaging import zip_archive
from cxr_app.imaging.disc import disc_contents, is_directory
from cxr_app.imaging.intake import read_radiograph
from cxr_app.imaging.passed_over import is_passed_over
from cxr_app.imaging.zip_archive import members
from tests.support.factories import (
    dicom_bytes,
    film_pixels,
    jpeg_bytes,
    png_bytes,
    with_elements,
)


def dicomdir(**files: str) -> bytes:
    """Build a DICOMDIR of files by their type of record: ``IMAGE="A/B"``."""
    records = []
    for kind, path in files.items():
        record = with_elements(Dataset(), DirectoryRecordType=kind.rstrip("0123456789"))
        record.ReferencedFileID = path.split("/")
        records.append(record)
    ds = Dataset()
    ds.DirectoryRecordSequence = records
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def webp() -> bytes:
    buffer = BytesIO()
    PillowImage.fromarray(film_pixels(bits=8)).save(buffer, "WEBP")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("DICOMDIR", dicomdir(IMAGE="A")),
        ("dir.dcm", dicomdir(IMAGE="A")),
        ("AUTORUN.INF", b"[autorun]\r\nopen=viewer.exe"),
        ("films/Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("__MACOSX/._a.bin", b"\0\5\x16\7"),
        ("VIEWER\\VIEWER.EXE", b"MZ" + bytes(100)),
        ("README.TXT", b"How to open this disc"),
        ("LICENSE", b"..."),
        ("report.pdf", b"%PDF-1.7"),
        ("index.html", b"<!DOCTYPE html><html>"),
        ("list.csv", b"a,b\n"),
        ("letter.docx", packed({"word/document.xml": b"<xml/>"})),
    ],
)
def test_what_comes_along_with_films_is_passed_over(name: str, content: bytes) -> None:
    assert is_passed_over(name, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film", dicom_bytes()),
        ("IM000001", dicom_bytes()),
        ("1.2.840.113619.2.5", dicom_bytes()),
        (".hidden", jpeg_bytes()),
        ("film.xyz", png_bytes()),
        ("broken.dcm", b"?"),
        ("broken.JPG", b""),
        ("broken.tif", b"II"),
        ("photo.webp", webp()),
        ("films.zip", packed({"a.dcm": dicom_bytes()})),
        ("films.7z", b"7z\xbc\xaf\x27\x1c"),
        ("unknown", b"what is this"),
        ("empty", b""),
    ],
)
def test_films_and_what_may_hold_one_are_not(name: str, content: bytes) -> None:
    assert not is_passed_over(name, content)


def test_a_disc_says_which_of_its_files_are_films() -> None:
    data = dicomdir(IMAGE="DICOM/IM1", IMAGE1="DICOM/IM2", PRESENTATION="DICOM/PR1")
    contents = disc_contents(data)
    assert is_directory(data)
    assert contents is not None
    assert contents.images == {PurePosixPath("DICOM/IM1"), PurePosixPath("DICOM/IM2")}
    assert contents.has_film(PurePosixPath("DICOM/IM1"), b"broken")
    assert contents.has_film(PurePosixPath("NEW/IM9"), dicom_bytes())
    assert not contents.has_film(PurePosixPath("DICOM/PR1"), dicom_bytes())
    assert not contents.has_film(PurePosixPath("VIEWER/LOGO.PNG"), png_bytes())


def test_an_archive_is_unpacked_file_by_file() -> None:
    files = {"a/film.dcm": dicom_bytes(), "b.png": png_bytes()}
    assert {each.name: each.getvalue() for each in members(packed(files))} == files


def test_archives_beyond_the_limits_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed({f"{number}.dcm": bytes(1000) for number in range(20)})
    monkeypatch.setattr(zip_archive, "MAX_ARCHIVE_MEMBERS", 19)
    with pytest.raises(FilmTooLargeError, match="20 files"):
        list(members(data))
    monkeypatch.setattr(zip_archive, "MAX_ARCHIVE_MEMBERS", 100)
    monkeypatch.setattr(zip_archive, "MAX_ARCHIVE_BYTES", 19_999)
    with pytest.raises(FilmTooLargeError, match="unpack to more"):
        list(members(data))
    monkeypatch.setattr(zip_archive, "MAX_ARCHIVE_BYTES", 20_000)
    assert len(list(members(data))) == 20
    monkeypatch.setattr(zip_archive, "MAX_FILE_BYTES", 999)
    with pytest.raises(FilmTooLargeError, match="unpack to more"):
        list(members(data))


def test_an_archive_that_cannot_be_unpacked_says_why() -> None:
    data = packed({"a.dcm": dicom_bytes()})
    with pytest.raises(PixelDataError, match="damaged or cut short"):
        list(members(data[:-30]))
    spoiled = bytearray(data)
    spoiled[200:300] = bytes(100)
    with pytest.raises(PixelDataError, match="damaged or cut short"):
        list(members(bytes(spoiled)))
    locked = bytearray(data)
    locked[6] |= 1
    locked[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnsupportedImageError, match="password"):
        list(members(bytes(locked)))


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (packed({"a.dcm": dicom_bytes()}), UnsupportedImageError, "zip archive that holds 1 film"),
        (packed({"README.TXT": b"?"}), UnsupportedImageError, "zip archive that holds no films"),
        (packed({"a.dcm": b"?"})[:-20], PixelDataError, "zip archive is damaged"),
        (webp(), UnsupportedImageError, "WebP picture.*Export the film"),
        (b"\0\0\0\x18ftypheic" + bytes(20), UnsupportedImageError, "HEIC picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), UnsupportedImageError, "JPEG XL picture"),
        (b"%PDF-1.7", UnsupportedImageError, "PDF document"),
        (b"GIF89a" + bytes(20), UnsupportedImageError, "GIF picture"),
        (b"\x1f\x8b\x08" + bytes(20), UnsupportedImageError, "gzip archive.*Unpack it"),
        (b"hello", NotAFilmError, "neither DICOM, JPEG nor PNG, nor TIFF or JPEG 2000"),
    ],
)
def test_what_is_no_film_is_called_what_it_is(
    content: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_radiograph(content)
