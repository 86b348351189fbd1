"""Results into a real archive by STOW-RS: Orthanc with its DICOMweb plug-in, and a login."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import ArchiveError
from cxr_app.pacs.destinations import archive_at, check_destination
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from tests.support.results import result_object
from tests.support.scored_films import score_film

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "scribe", "pass:word"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if not PLUGIN.exists():
        pytest.skip("Orthanc's plug-in is not installed: apt-get install orthanc-dicomweb")
    changes = {
        "Plugins": [str(PLUGIN)],
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
    }
    with running(tmp_path_factory.mktemp("orthanc"), login=(USER, PASSWORD), **changes) as server:
        yield server


@pytest.fixture
def destination(orthanc: Orthanc) -> Destination:
    return Destination.parse(f"http://127.0.0.1:{orthanc.http_port}/dicom-web=sr+sc+pr+pm")


@pytest.fixture
def settings(tmp_path: Path, orthanc: Orthanc) -> Settings:
    login = f"127.0.0.1:{orthanc.http_port}={USER}:{PASSWORD}"
    return Settings(data_dir=tmp_path / "data", results_logins=login)


@pytest.fixture
def worklist(settings: Settings) -> Iterator[Worklist]:
    opened = Worklist.open(settings.worklist_url)
    yield opened
    opened.close()


def test_every_object_stands_beside_its_film_and_a_repeat_is_the_same_instance(
    orthanc: Orthanc,
    destination: Destination,
    settings: Settings,
    worklist: Worklist,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_destination(destination, settings)
    data = dicom_bytes(radiograph_dataset(film_pixels(320, 288)))
    film = orthanc.post("/instances", data)
    sender = Sender(settings, worklist, destination)
    score_film(settings, worklist, data)
    with monkeypatch.context() as crash:  # the archive has them, and nobody knows
        crash.setattr(worklist.outbox, "sent", lambda *_: None)
        assert sender.send_once()
    for each in worklist.outbox.newest(OutgoingState.WAITING):
        worklist.outbox.postpone(each, "")
    assert sender.send_once()
    assert [each.state for each in worklist.outbox.newest()] == [OutgoingState.SENT] * 4
    assert not sender.send_once()
    study = orthanc.json(f"/studies/{film['ParentStudy']}")
    kinds = [
        orthanc.json(f"/series/{series}")["MainDicomTags"]["Modality"] for series in study["Series"]
    ]
    assert sorted(kinds) == ["CR", "OT", "OT", "PR", "SR"]
    assert len(orthanc.json("/instances")) == 5


def test_what_it_refuses_is_told_in_words(destination: Destination, settings: Settings) -> None:
    report = result_object(ResultKind.REPORT, dicom_bytes())
    del report.StudyInstanceUID
    with (
        archive_at(destination, settings) as archive,
        pytest.raises(ArchiveError, match=r"did not store the object|does not say"),
    ):
        archive.store(report)


def test_without_the_login_nothing_is_sent(destination: Destination, settings: Settings) -> None:
    with pytest.raises(ArchiveError, match="CXR_RESULTS_LOGINS"):
        check_destination(destination, settings.model_copy(update={"results_logins": ""}))


def test_a_wrong_path_is_found_by_the_echo_test(orthanc: Orthanc, settings: Settings) -> None:
    wrong = Destination.parse(f"http://127.0.0.1:{orthanc.http_port}/dicomweb")
    with pytest.raises(ArchiveError, match="path"):
        check_destination(wrong, settings)
