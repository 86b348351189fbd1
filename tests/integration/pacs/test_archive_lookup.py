"""Earlier films are fetched from a real archive, in each way; never another patient's."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom.association import Association

from cxr_app.errors import FilmNotSentError
from cxr_app.film_store import FilmStore
from cxr_app.imaging.film_identity import read_header
from cxr_app.pacs import archive_lookup
from cxr_app.pacs.archive_lookup import ArchiveLookup, LookupStatus
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.reception import Reception
from cxr_app.pacs.store_server import StoreServer
from cxr_app.pacs.web_film_archive import WebFilmArchive
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from cxr_app.ui.text import lookup_text
from cxr_app.worklist import Query, Worklist
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from tests.support.outcomes import scored, sha256

RECEIVER_PORT = 11112
"""Of the guide's configuration."""
WEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
NOW: dict[str, Any] = {
    "PatientID": "P-77",
    "IssuerOfPatientID": "North",
    "PatientName": "Lovelace^Ada",
    "PatientBirthDate": "19800102",
    "PatientSex": "F",
    "StudyDate": "20261120",
}
EARLIER = NOW | {"StudyDate": "20250101"}
OTHERS: dict[str, dict[str, Any]] = {
    "same id of another issuer": {"IssuerOfPatientID": "South"},
    "same id, another birth date": {"PatientBirthDate": "19800103"},
    "same id, another name": {"PatientName": "Hopper^Grace"},
    "same id, another sex": {"PatientSex": "M"},
    "id in other case": {"PatientID": "p-77"},
    "no issuer, nothing else known": {
        "IssuerOfPatientID": None,
        "PatientName": "",
        "PatientBirthDate": "",
    },
    "later": {"StudyDate": "20261121"},
    "no radiograph": {"Modality": "CT"},
}


def earlier_film(changed: dict[str, Any]) -> Dataset:
    elements = EARLIER | changed
    return radiograph_dataset(
        **{name: value for name, value in elements.items() if value is not None}
    )


@pytest.fixture(scope="module")
def own() -> list[str]:
    """SOP Instance UIDs of the patient's own earlier films, newest first."""
    return []


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, own: list[str]) -> Iterator[Orthanc]:
    plugins = [str(WEB_PLUGIN)] if WEB_PLUGIN.exists() else []
    with running(tmp_path_factory.mktemp("orthanc"), Plugins=plugins) as server:
        for changed in OTHERS.values():
            server.post("/instances", dicom_bytes(earlier_film(changed)))
        for changed in ({}, {"IssuerOfPatientID": None, "StudyDate": "20240101"}):
            ds = earlier_film(changed)
            server.post("/instances", dicom_bytes(ds))
            own.append(str(ds.SOPInstanceUID))
        yield server


@pytest.fixture(params=["C-GET", "C-MOVE", "WADO-RS"])
def settings(request: pytest.FixtureRequest, orthanc: Orthanc, tmp_path: Path) -> Settings:
    address = f"{orthanc.title}@127.0.0.1:{orthanc.dicom_port}"
    if request.param == "WADO-RS":
        if not WEB_PLUGIN.exists():
            pytest.skip("Orthanc's plug-in is not installed: apt-get install orthanc-dicomweb")
        address = f"http://127.0.0.1:{orthanc.http_port}/dicom-web"
    is_move = request.param == "C-MOVE"
    return Settings(
        data_dir=tmp_path / "data",
        films_from=address,
        films_by_move=is_move,
        dicom_port=RECEIVER_PORT if is_move else None,
    )


@pytest.fixture
def desk(settings: Settings) -> Iterator[Worklist]:
    opened = Worklist.open(settings.worklist_url)
    receiver = StoreServer(settings, opened, FilmStore(settings.films_dir))
    if settings.films_by_move:
        receiver.start()
    yield opened
    receiver.stop()
    opened.close()


def one_way(name: str) -> pytest.MarkDecorator:
    """Return a mark by which a test fetches films in one way only."""
    return pytest.mark.parametrize("settings", [name], indirect=True)


def header(**changed: Any) -> Header:
    found = read_header(dicom_bytes(radiograph_dataset(**NOW | changed)))
    assert found is not None
    return found


def looked(settings: Settings, desk: Worklist, of: Header) -> LookupStatus:
    lookup = ArchiveLookup(settings, desk, of, entered(desk, of))
    lookup.start()
    lookup.wait(120)
    return lookup.status()


def entered(desk: Worklist, of: Header) -> str:
    """Enter a film with this header; return its entry's id."""
    desk.receive(sha256("film"), "upload", Path("/nowhere"))
    return desk.record(scored("film", header=of))


def kept(desk: Worklist) -> set[str]:
    entries = desk.page(Query(state="all"), limit=100)
    paths = [entry.path for entry in entries if entry.source != "upload"]
    headers = [read_header(path.read_bytes()) for path in paths]
    return {each.sop_instance_uid for each in headers if each}


def test_the_patients_own_earlier_films_come_and_no_others(
    settings: Settings, desk: Worklist, own: list[str]
) -> None:
    status = looked(settings, desk, header())
    assert (status.state, status.message) == ("done", "")
    assert kept(desk) == set(own)
    assert status.fetched == status.wanted == len(status.entry_ids) == len(own)
    again = looked(settings, desk, header())
    assert (again.state, again.wanted) == ("done", 0)


def test_another_patients_film_with_its_uid_keeps_no_film_away(
    settings: Settings, desk: Worklist, own: list[str]
) -> None:
    """A film in the list that was numbered wrongly is not the one that the archive has."""
    elements = {"PatientName": "Hopper^Grace", "PatientID": "P-78", "SOPInstanceUID": own[0]}
    data = dicom_bytes(radiograph_dataset(**NOW | elements))
    films = FilmStore(settings.films_dir)
    receipt = Reception(films, desk).receive(data, "upload")
    digest = hashlib.sha256(data).hexdigest()
    desk.record(dataclasses.replace(scored("other", header=read_header(data)), sha256=digest))
    status = looked(settings, desk, header())
    assert (status.state, status.message) == ("done", "")
    assert status.fetched == status.wanted == len(own)
    assert receipt.entry_id not in status.entry_ids
    assert kept(desk) == set(own)


def test_a_search_that_an_archive_may_not_understand_is_said(
    settings: Settings, desk: Worklist
) -> None:
    status = looked(settings, desk, header(PatientID="P 77^B"))
    is_web = settings.films_from.startswith("http")
    assert (status.state, status.wanted) == ("done", 0)
    assert status.message == (archive_lookup.NOT_SEARCHED if is_web else "")


def test_a_film_of_another_patient_is_not_kept_even_if_the_archive_sends_it(
    settings: Settings, desk: Worklist, own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive's own list may be wrong: the film's header has the last word."""
    if settings.films_by_move:
        monkeypatch.setattr(archive_lookup, "is_wanted", lambda *_: True)
        status = looked(settings, desk, header())
        assert (status.state, status.fetched, kept(desk)) == ("done", len(own), set(own))
        assert "could not send the film to CXR" in status.message
        return
    other = dicom_bytes(earlier_film({"PatientName": "Hopper^Grace"}))

    def fetch(_archive: Any, _film: ArchivedFilm) -> bytes:
        return other

    monkeypatch.setattr(FilmArchive, "fetch", fetch)
    monkeypatch.setattr(WebFilmArchive, "fetch", fetch)
    status = looked(settings, desk, header())
    assert (status.state, status.fetched) == ("done", 0)
    assert "does not name this patient" in status.message
    assert kept(desk) == set()


@one_way("C-GET")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"PatientID": "ANONYMOUS"}, "no Patient ID that tells patients apart"),
        ({"PatientID": "0"}, "no Patient ID that tells patients apart"),
        ({"PatientID": ""}, "no Patient ID that tells patients apart"),
        ({"PatientID": "P*7"}, "wildcard"),
        ({"StudyDate": ""}, "no study date"),
    ],
)
def test_who_cannot_be_told_apart_is_not_looked_for(
    settings: Settings, desk: Worklist, changed: dict[str, str], words: str
) -> None:
    status = looked(settings, desk, header(**changed))
    assert status.state == "failed"
    assert words in status.message
    assert kept(desk) == set()


@one_way("C-GET")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"films_from": "ORTHANC@127.0.0.1:1"}, "cannot be reached"),
        ({"films_from": "ORTHANC@127.0.0.1:4242", "ae_title": "STRANGER"}, "is registered there"),
        ({"films_from": "http://127.0.0.1:1/dicom-web"}, "cannot be reached"),
        ({"films_from": "http://127.0.0.1:8042/elsewhere"}, "Check the path of its address"),
        ({"films_from": ""}, "No archive is named"),
    ],
)
def test_each_failure_of_the_archive_has_its_words(
    settings: Settings, desk: Worklist, changed: dict[str, str], words: str
) -> None:
    status = looked(settings.model_copy(update=changed), desk, header())
    assert status.state == "failed"
    assert words in status.message
    assert "Lovelace" not in status.message


def test_a_look_that_is_cancelled_keeps_what_has_come(
    settings: Settings, desk: Worklist, own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = ArchiveLookup(settings, desk, header(), entered(desk, header()))
    note = ArchiveLookup._note_arrived

    def note_and_cancel(self: ArchiveLookup, entry_id: str) -> None:
        self.cancel()
        note(self, entry_id)

    monkeypatch.setattr(ArchiveLookup, "_note_arrived", note_and_cancel)
    lookup.start()
    lookup.wait(120)
    assert lookup.status().state == "cancelled"
    assert kept(desk) == {own[0]}  # the newest first


@one_way("C-MOVE")
def test_a_move_needs_a_receiver(settings: Settings, desk: Worklist) -> None:
    status = looked(settings.model_copy(update={"dicom_port": None}), desk, header())
    assert status.state == "failed"
    assert "set CXR_DICOM_PORT" in status.message


@one_way("C-MOVE")
def test_an_archive_that_does_not_know_the_receiver_is_told_apart(
    settings: Settings, desk: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Association.send_c_move

    def move_elsewhere(self: Association, dataset: Dataset, _title: str, model: str) -> Any:
        return move(self, dataset, "NOWHERE", model)

    monkeypatch.setattr(Association, "send_c_move", move_elsewhere)
    status = looked(settings, desk, header())
    assert status.fetched == 0
    assert "CXR" in status.message


@one_way("C-MOVE")
def test_a_film_that_has_come_counts_whatever_the_archive_says(
    settings: Settings, desk: Worklist, own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have sent another patient's film of the same UID too, which was refused."""
    move = FilmArchive.move

    def move_with_another(archive: FilmArchive, film: ArchivedFilm) -> None:
        move(archive, film)
        raise FilmNotSentError("The archive could not send all films of that UID.")

    monkeypatch.setattr(FilmArchive, "move", move_with_another)
    status = looked(settings, desk, header())
    assert (status.state, status.fetched, status.message) == ("done", len(own), "")
    assert kept(desk) == set(own)


@one_way("C-GET")
def test_only_so_many_films_are_fetched_and_the_others_are_said(
    settings: Settings, desk: Worklist, own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_lookup, "MOST_FILMS", 1)
    status = looked(settings, desk, header())
    assert (status.fetched, kept(desk)) == (1, {own[0]})
    assert "The archive has 1 more; look there again" in lookup_text.ended(status)
    again = looked(settings, desk, header())
    assert (again.fetched, again.message, kept(desk)) == (1, "", set(own))
