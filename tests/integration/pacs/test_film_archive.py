"""Films searched for in real archives and fetched from them: Orthanc, and DCMTK's dcmqrscp."""

import gc
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError, FilmNotSentError
from cxr_app.imaging.film_identity import film_identity
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.association import VERIFICATION
from cxr_app.pacs.film_archive import FIND, FilmArchive
from cxr_app.pacs.film_query import FilmQuery
from cxr_app.pacs.film_sources import check_film_source
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from tests.integration.pacs.test_receiver import COMPRESSED, NATIVE
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
)
from tests.support.orthanc import Orthanc, running
from tests.support.peers import free_port, is_open, need

DAY = FilmQuery.parse("StudyDate=20260101-20260110")
TITLE = "CXR"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


def check_archive(target: Destination, ae_title: str) -> None:
    check_film_source(target, Settings(ae_title=ae_title))


def target_of(orthanc: Orthanc) -> Destination:
    return Destination(orthanc.title, "127.0.0.1", orthanc.dicom_port)


def found(target: Destination, query: str) -> set[str]:
    with FilmArchive(target, TITLE) as archive:
        return {film.sop_instance_uid for film in archive.films(FilmQuery.parse(query))}


def test_orthanc_sends_what_it_has_in_every_transfer_syntax(orthanc: Orthanc) -> None:
    films = [dicom_bytes(None, syntax) for syntax in NATIVE]
    films += [compressed_dicom_bytes(radiograph_dataset(), syntax) for syntax in COMPRESSED]
    films += [jpeg_dicom_bytes(film_pixels(bits=8))]
    for film in films:
        orthanc.post("/instances", film)
    with FilmArchive(target_of(orthanc), TITLE) as archive:
        fetched = [archive.fetch(film) for film in archive.films(DAY)]
    sent = [film_identity(film) for film in films]
    kept = [film_identity(film) for film in fetched]
    assert {each and each.dataset_sha256 for each in sent} <= {
        each and each.dataset_sha256 for each in kept
    }


def test_orthanc_is_asked_for_what_is_wanted(orthanc: Orthanc) -> None:
    elements: dict[str, Any] = {"StudyDate": "20250301", "AccessionNumber": "B-7", "Modality": "DX"}
    chest = radiograph_dataset(**elements)
    hand = radiograph_dataset(**elements, BodyPartExamined="HAND")
    later = radiograph_dataset(**elements | {"StudyDate": "20250303"})
    report = radiograph_dataset(**elements | {"Modality": "OT"})
    for ds in (chest, hand, later, report):
        orthanc.post("/instances", dicom_bytes(ds))
    target = target_of(orthanc)
    one, two, three = (str(ds.SOPInstanceUID) for ds in (chest, hand, later))
    assert found(target, "StudyDate=20250301 Modality=DX") == {one, two}
    assert found(target, "StudyDate=20250228-20250304") == {one, two, three}
    assert found(target, "AccessionNumber=B-7 BodyPartExamined=chest") == {one, three}
    assert found(target, f"StudyInstanceUID={hand.StudyInstanceUID}") == {two}
    assert found(target, "StudyDate=20250301 Modality=CR") == set()


def test_a_patient_is_named_in_any_script(orthanc: Orthanc) -> None:
    ds = radiograph_dataset(
        StudyDate="20240101", PatientName="Müller^Zoë", IssuerOfPatientID="North"
    )
    orthanc.post("/instances", dicom_bytes(ds))
    with FilmArchive(target_of(orthanc), TITLE) as archive:
        (film,) = archive.films(FilmQuery.parse("StudyDate=20240101"))
    header = film.header
    assert (header.patient_name, header.patient_id) == ("Müller^Zoë", "P-1")
    assert (header.patient_birth_date, header.modality) == ("20230501", "CR")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_each_failure_has_its_words(orthanc: Orthanc) -> None:
    target = target_of(orthanc)
    check_archive(target, TITLE)
    with pytest.raises(ArchiveError, match="OTHER is registered there and may search"):
        check_archive(target, "OTHER")
    with pytest.raises(ArchiveError, match="cannot be reached"):
        check_archive(replace(target, port=1), TITLE)
    orthanc.post("/instances", dicom_bytes(radiograph_dataset(StudyDate="20230101")))
    with FilmArchive(target, TITLE) as archive:
        (film,) = archive.films(FilmQuery.parse("StudyDate=20230101"))
        with pytest.raises(FilmNotSentError, match="did not send the film"):
            archive.fetch(replace(film, sop_instance_uid="2.25.7"))
        assert archive.fetch(film)  # the association lives on
    gc.collect()  # pynetdicom leaves the socket of a refused connection open


def answering(statuses: list[int]) -> Iterator[Destination]:
    """Let a peer listen that answers a search by these statuses and fetches nothing."""
    entity = AE("PEER")
    entity.add_supported_context(VERIFICATION)
    entity.add_supported_context(FIND)

    def find(_event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for status in statuses:
            answer = Dataset()
            answer.StudyInstanceUID = "1.2.3"
            yield status, answer if status == 0xFF00 else None

    port = free_port()
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_FIND, find)]
    )
    assert server is not None
    try:
        yield Destination("PEER", "127.0.0.1", port)
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ([0xA700], "out of resources"),
        ([0xFF00, 0xC001], "cannot process the request"),  # a part of the answers is no answer
        ([0xFF00, 0x0122], "does not allow it"),
    ],
)
def test_a_search_that_fails_says_why(statuses: list[int], words: str) -> None:
    for target in answering(statuses):
        with FilmArchive(target, TITLE) as archive, pytest.raises(ArchiveError, match=words):
            list(archive.films(DAY))


def test_an_archive_without_c_get_is_named() -> None:
    for target in answering([0x0000]):
        check_archive(target, TITLE)
        with FilmArchive(target, TITLE) as archive:
            film = dataset_film()
            with pytest.raises(ArchiveError, match=r"does not offer fetching \(C-GET\)"):
                archive.fetch(film)


def dataset_film() -> ArchivedFilm:
    return ArchivedFilm("1.2.3", "1.2.4", "1.2.5", "", Header())


@pytest.fixture
def dcmqrscp(tmp_path: Path) -> Iterator[Destination]:
    """DCMTK's archive, which our program may search."""
    need("dcmqrscp")
    port = free_port()
    store = tmp_path / "store"
    store.mkdir()
    configuration = tmp_path / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nQR {store} RW (200, 1024mb) ANY\nAETable END\n"
    )
    process = subprocess.Popen(  # DCMTK is found by the path
        ["dcmqrscp", "-c", str(configuration), "+xe"],  # noqa: S607
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = monotonic() + 60
    while not is_open(port):
        assert process.poll() is None
        assert monotonic() < deadline
        sleep(0.1)
    try:
        yield Destination("QR", "127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(60)


def test_dcmtk_is_searched_and_sends(dcmqrscp: Destination, tmp_path: Path) -> None:
    films = [dicom_bytes(radiograph_dataset(film_pixels(seed=seed))) for seed in range(3)]
    paths = [tmp_path / f"{number}.dcm" for number in range(3)]
    for path, film in zip(paths, films, strict=True):
        path.write_bytes(film)
    address = ["-aec", dcmqrscp.ae_title, dcmqrscp.host, str(dcmqrscp.port)]
    subprocess.run(["storescu", *address, *map(str, paths)], check=True)  # noqa: S607
    check_archive(dcmqrscp, TITLE)
    with FilmArchive(dcmqrscp, TITLE) as archive:
        fetched = [archive.fetch(film) for film in archive.films(DAY)]
    identities = {film_identity(film) for film in fetched}
    assert {each and each.sop_instance_uid for each in identities} == {
        each and each.sop_instance_uid for each in map(film_identity, films)
    }
