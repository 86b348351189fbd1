"""Results in a real archive: Orthanc, with the configuration of the guide."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from cxr_app.destination import Destination, ResultKind
from cxr_app.pacs.destinations import check_destination
from cxr_app.pacs.objects import FilmResults
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from tests.support.results import INSTALLATION
from tests.support.scored_films import score_film


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_results_stand_beside_the_film_in_its_study(orthanc: Orthanc, settings: Settings) -> None:
    destination = Destination(orthanc.title, "127.0.0.1", orthanc.dicom_port, tuple(ResultKind))
    check_destination(destination, settings)
    data = dicom_bytes(radiograph_dataset(film_pixels(320, 288)))
    film = orthanc.post("/instances", data)
    worklist = Worklist.open(settings.worklist_url)
    sender = Sender(settings, worklist, destination)
    score_film(settings, worklist, data)
    assert sender.send_once()
    assert [each.state for each in worklist.outbox.newest()] == [OutgoingState.SENT] * 4
    study = orthanc.json(f"/studies/{film['ParentStudy']}")
    kinds = [
        orthanc.json(f"/series/{series}")["MainDicomTags"]["Modality"] for series in study["Series"]
    ]
    assert sorted(kinds) == ["CR", "OT", "OT", "PR", "SR"]
    worklist.close()


def test_a_repeat_after_a_crash_is_the_same_instance(
    orthanc: Orthanc, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = Destination(orthanc.title, "127.0.0.1", orthanc.dicom_port)
    before = len(orthanc.json("/instances"))
    worklist = Worklist.open(settings.worklist_url)
    sender = Sender(settings, worklist, destination)
    score_film(settings, worklist, dicom_bytes(radiograph_dataset(film_pixels(64, 56))))
    with monkeypatch.context() as crash:  # the archive has them, and nobody knows
        crash.setattr(worklist.outbox, "sent", lambda *_: None)
        sender.send_once()
    numbers = [each.number for each in worklist.outbox.newest(OutgoingState.WAITING)]
    assert len(numbers) == 2
    after_lease(worklist)
    assert sender.send_once()
    assert len(orthanc.json("/instances")) == before + 2
    worklist.close()


def after_lease(worklist: Worklist) -> None:
    """Let the claims end, as they do by themselves."""
    for each in worklist.outbox.newest(OutgoingState.WAITING):
        worklist.outbox.postpone(each, "")


def test_the_archive_shows_the_picture_as_it_was_drawn(
    orthanc: Orthanc, settings: Settings
) -> None:
    destination = Destination(orthanc.title, "127.0.0.1", orthanc.dicom_port, (ResultKind.PICTURE,))
    data = dicom_bytes(radiograph_dataset(film_pixels(320, 288)))
    worklist = Worklist.open(settings.worklist_url)
    sender = Sender(settings, worklist, destination)
    score_film(settings, worklist, data)
    sender.send_once()
    found = orthanc.post("/tools/find", b'{"Level":"Instance","Query":{"Modality":"OT"}}')
    files = {each: dcmread(io.BytesIO(orthanc.get(f"/instances/{each}/file"))) for each in found}
    study = dcmread(io.BytesIO(data)).StudyInstanceUID
    (name,) = [each for each, kept in files.items() if kept.StudyInstanceUID == study]
    shown = np.asarray(Image.open(io.BytesIO(orthanc.get(f"/instances/{name}/preview"))))
    sent = FilmResults(worklist, INSTALLATION, worklist.outbox.newest()[0]).build(
        ResultKind.PICTURE
    )
    assert sent is not None
    assert np.array_equal(shown, sent.pixel_array)
    worklist.close()
