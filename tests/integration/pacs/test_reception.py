"""One film is one entry, however it arrives; two films with one UID are two, and it says so."""

from io import BytesIO
from pathlib import Path
from threading import Barrier, Thread

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.film_store import FilmStore
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.pacs.reception import (
    OTHER_PATIENT,
    OTHER_PIXELS,
    UNCOMPARED,
    Arrived,
    Reception,
)
from cxr_app.worklist import Query, Worklist
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    png_bytes,
    radiograph_dataset,
)
from tests.support.site import Site

EVERY = Query(state="all")


@pytest.fixture
def films(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


@pytest.fixture
def reception(films: FilmStore, worklist: Worklist) -> Reception:
    return Reception(films, worklist)


def written_by_another(data: bytes) -> bytes:
    """Return the same dataset behind the meta header of another program."""
    ds = dcmread(BytesIO(data))
    ds.file_meta.ImplementationVersionName = "ANOTHER_1"
    again = BytesIO()
    ds.save_as(again, enforce_file_format=True)
    return again.getvalue()


def kept(films: FilmStore) -> int:
    return sum(path.is_file() for path in films.root.rglob("*"))


def test_the_meta_header_makes_no_other_film(
    reception: Reception, worklist: Worklist, films: FilmStore
) -> None:
    data = dicom_bytes()
    first = reception.receive(data, "uploaded.dcm")
    for again in (data, written_by_another(data)):
        assert reception.receive(again, "CT1").entry_id == first.entry_id
        assert reception.receive(again, "CT1").arrived is Arrived.KNOWN
    assert worklist.count(EVERY) == 1
    assert kept(films) == 1
    assert worklist.entry(first.entry_id).remarks == ()


def test_a_film_of_an_older_version_is_recognised(
    reception: Reception, worklist: Worklist, site: Site
) -> None:
    ds = radiograph_dataset()
    data = dicom_bytes(ds)
    older = site.upload(data)
    with site.worklist._database.writing() as session:
        from cxr_app.worklist.tables import EntryRow

        session.query(EntryRow).update({"sop_instance_uid": ds.SOPInstanceUID})
    receipt = Reception(site.films, site.worklist).receive(written_by_another(data), "CT1")
    assert (receipt.arrived, receipt.entry_id) == (Arrived.KNOWN, older)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless],
)
def test_a_film_in_two_transfer_syntaxes_is_one_with_two_files(
    reception: Reception, worklist: Worklist, films: FilmStore, syntax: str
) -> None:
    ds = radiograph_dataset()
    first = reception.receive(dicom_bytes(ds), "film.dcm")
    build = (
        compressed_dicom_bytes
        if syntax in (RLELossless, JPEG2000Lossless, JPEGLSLossless)
        else dicom_bytes
    )
    converted = build(ds, syntax)
    for _ in range(2):
        assert reception.receive(converted, "ARCHIVE") == type(first)(Arrived.KNOWN, first.entry_id)
    assert kept(films) == 2
    assert worklist.count(EVERY) == 1


def _other_window(ds: Dataset) -> None:
    ds.WindowCenter, ds.WindowWidth = "900", "100"


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"PixelData": film_pixels(seed=1).tobytes()}, OTHER_PIXELS),
        ({"PhotometricInterpretation": "MONOCHROME1"}, OTHER_PIXELS),
        ({"WindowCenter": "900", "WindowWidth": "100"}, OTHER_PIXELS),
        ({"PatientName": "Other^Ben"}, OTHER_PATIENT),
        ({"PatientID": "P-2"}, OTHER_PATIENT),
        ({"PatientBirthDate": "19500101"}, OTHER_PATIENT),
    ],
)
def test_another_film_with_the_same_uid_is_kept_and_both_say_so(
    reception: Reception, worklist: Worklist, changed: dict[str, object], remark: str
) -> None:
    ds = radiograph_dataset()
    first = reception.receive(dicom_bytes(ds), "one.dcm")
    for keyword, value in changed.items():
        setattr(ds, keyword, value)
    second = reception.receive(dicom_bytes(ds), "two.dcm")
    assert second.arrived is Arrived.NEW
    for receipt in (first, second):
        assert worklist.entry(receipt.entry_id).remarks == (remark,)


@pytest.mark.parametrize("facts", [{"AccessionNumber": "A-9"}, {"InstitutionName": "North"}])
def test_an_archive_may_change_other_facts(
    reception: Reception, worklist: Worklist, facts: dict[str, str]
) -> None:
    ds = radiograph_dataset()
    first = reception.receive(dicom_bytes(ds), "one.dcm")
    for keyword, value in facts.items():
        setattr(ds, keyword, value)
    assert reception.receive(dicom_bytes(ds), "two.dcm").entry_id == first.entry_id
    assert worklist.count(EVERY) == 1


def test_a_lost_film_comes_back_and_cannot_be_compared_meanwhile(
    reception: Reception, worklist: Worklist
) -> None:
    ds = radiograph_dataset()
    data = dicom_bytes(ds)
    first = reception.receive(data, "one.dcm")
    worklist.entry(first.entry_id).path.unlink()
    other = reception.receive(dicom_bytes(ds, ImplicitVRLittleEndian), "two.dcm")
    assert worklist.entry(other.entry_id).remarks == (UNCOMPARED,)
    again = reception.receive(written_by_another(data), "three.dcm")
    assert again.entry_id == first.entry_id
    entry = worklist.entry(first.entry_id)
    assert entry.path.read_bytes() == written_by_another(data)


def test_a_deleted_film_comes_back_whoever_wrote_it(site: Site) -> None:
    """Every file of it was deleted: the first, and that of another transfer syntax."""
    reception = Reception(site.films, site.worklist)
    ds = radiograph_dataset()
    data = dicom_bytes(ds)
    film = reception.receive(data, "one.dcm").entry_id
    reception.receive(dicom_bytes(ds, ImplicitVRLittleEndian), "two.dcm")
    site.score(film)
    site.worklist.mark_read(film, "Weiss")
    assert site.days_pass() == 1
    assert kept(site.films) == 0
    receipt = reception.receive(written_by_another(data), "three.dcm")
    assert (receipt.arrived, receipt.entry_id) == (Arrived.NEW, film)
    entry = site.worklist.entry(film)
    assert entry.film_deleted_at is None
    assert entry.read_at is None
    assert [each.id for each in site.worklist.next_received()] == [film]
    assert site.films.read(entry.sha256) == written_by_another(data)


def test_our_own_results_make_no_entry(
    reception: Reception, worklist: Worklist, films: FilmStore
) -> None:
    result = dicom_bytes(
        radiograph_dataset(Manufacturer=MANUFACTURER, ManufacturerModelName=MODEL_NAME)
    )
    assert reception.receive(result, "ARCHIVE").arrived is Arrived.OWN_RESULT
    assert worklist.count(EVERY) == 0
    assert not films.root.exists()


@pytest.mark.parametrize("data", [png_bytes(), b"nothing", dicom_bytes()[:400]])
def test_other_and_damaged_files_are_known_by_their_bytes(
    reception: Reception, worklist: Worklist, data: bytes
) -> None:
    first = reception.receive(data, "a")
    assert first.arrived is Arrived.NEW
    assert reception.receive(data, "b").entry_id == first.entry_id
    assert worklist.count(EVERY) == 1


def test_many_senders_at_once_make_one_entry_of_each_film(
    reception: Reception, worklist: Worklist, films: FilmStore
) -> None:
    ds = radiograph_dataset()
    files = [dicom_bytes(ds), written_by_another(dicom_bytes(ds))] * 2
    files += [dicom_bytes(ds, ImplicitVRLittleEndian), dicom_bytes(ds, ExplicitVRLittleEndian)] * 2
    start = Barrier(len(files))
    entries: list[str] = []

    def send(data: bytes) -> None:
        start.wait()
        entries.append(reception.receive(data, "CT1").entry_id)

    threads = [Thread(target=send, args=(data,)) for data in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entries) == len(files)
    assert len(set(entries)) == 1
    assert worklist.count(EVERY) == 1
    assert kept(films) == 2
