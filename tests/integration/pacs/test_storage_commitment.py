"""Senders ask whether their films are kept for good: Orthanc, and a sender that waits."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, generate_uid
from pynetdicom import AE, evt

from cxr_app.film_store import FilmStore
from cxr_app.pacs.contexts import COMMITMENT
from cxr_app.pacs.storage_commitment import (
    COMMITMENT_INSTANCE,
    NO_SUCH_ACTION,
    NO_SUCH_OBJECT,
    OTHER_CLASS,
)
from cxr_app.pacs.store_server import StoreServer
from cxr_app.settings import Settings
from cxr_app.worklist import Entry, Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from tests.support.peers import free_port, store_over

CR = str(ComputedRadiographyImageStorage)
PORT = 11112
"""Of our receiver in the configuration of the guide."""


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


class Desk:
    """A receiver and its worklist."""

    def __init__(self, folder: Path, port: int, films_from: str = "") -> None:
        self.settings = Settings(data_dir=folder, dicom_port=port, films_from=films_from)
        self.port = port
        self.worklist = Worklist.open(self.settings.worklist_url)
        self.server = StoreServer(self.settings, self.worklist, FilmStore(self.settings.films_dir))
        self.server.start()

    def send(self, data: bytes) -> None:
        assert store_over(self.port, data) == 0x0000

    def close(self) -> None:
        self.server.stop()
        self.worklist.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data", free_port())
    yield opened
    opened.close()


def film(seed: int = 0) -> tuple[bytes, str]:
    ds = radiograph_dataset(film_pixels(seed=seed))
    return dicom_bytes(ds), str(ds.SOPInstanceUID)


def kept_as(worklist: Worklist, uid: str) -> Entry:
    """Return the entry of a film that waits for its score."""
    entries = worklist.next_received()
    return next(each for each in entries if uid.encode() in each.path.read_bytes())


def asked(orthanc: Orthanc, uids: list[str]) -> dict[str, Any]:
    """Let Orthanc ask for storage commitment, and return what it was told."""
    body = json.dumps({"DicomInstances": [[CR, uid] for uid in uids], "Timeout": 10})
    answer = orthanc.post("/modalities/cxr/storage-commitment", body.encode())
    deadline = monotonic() + 60
    while (report := orthanc.json(f"/storage-commitment/{answer['ID']}"))["Status"] == "Pending":
        assert monotonic() < deadline
        sleep(0.2)
    return dict(report)


def test_orthanc_is_told_what_is_kept_and_what_is_not(orthanc: Orthanc, tmp_path: Path) -> None:
    opened = Desk(tmp_path / "data", PORT, f"{orthanc.title}@127.0.0.1:{orthanc.dicom_port}")
    try:
        films = [film(seed) for seed in range(3)]
        for data, _ in films:
            opened.send(data)
        uids = [uid for _, uid in films]
        whole = asked(orthanc, uids)
        assert whole["Status"] == "Success"
        assert {each["SOPInstanceUID"] for each in whole["Success"]} == set(uids)
        entry = kept_as(opened.worklist, uids[0])
        entry.path.unlink()
        part = asked(orthanc, [*uids, "2.25.4711"])
        assert part["Status"] == "Failure"
        assert {each["SOPInstanceUID"] for each in part["Success"]} == set(uids[1:])
        failed = {each["SOPInstanceUID"]: each["FailureReason"] for each in part["Failures"]}
        assert failed == {uids[0]: NO_SUCH_OBJECT, "2.25.4711": NO_SUCH_OBJECT}
    finally:
        opened.close()


class Sender:
    """A sender that asks, and waits for the answer on the same association."""

    def __init__(self, port: int) -> None:
        self.report = Dataset()
        self.kind: int | None = None
        self._told = Event()
        entity = AE("MODALITY")
        entity.add_requested_context(COMMITMENT)
        self.association = entity.associate(
            "127.0.0.1", port, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._on_report)]
        )
        assert self.association.is_established

    def _on_report(self, event: evt.Event) -> tuple[int, None]:
        self.report, self.kind = event.event_information, event.event_type
        self._told.set()
        return 0x0000, None

    def ask(self, *references: tuple[str, str], action: int = 1) -> int:
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = [Dataset() for _ in references]
        for item, (sop_class, uid) in zip(request.ReferencedSOPSequence, references, strict=True):
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        status, _ = self.association.send_n_action(request, action, COMMITMENT, COMMITMENT_INSTANCE)
        return int(status.Status)

    def wait(self) -> None:
        assert self._told.wait(60)
        sleep(0.5)  # until its own answer has left
        self.association.release()


def test_a_sender_that_waits_is_told_on_its_association(desk: Desk) -> None:
    data, uid = film()
    desk.send(data)
    sender = Sender(desk.port)
    assert sender.ask((CR, uid)) == 0x0000
    sender.wait()
    assert sender.kind == 1
    assert [str(each.ReferencedSOPInstanceUID) for each in sender.report.ReferencedSOPSequence] == [
        uid
    ]
    assert "FailedSOPSequence" not in sender.report


def test_a_damaged_film_or_another_class_is_not_committed_to(desk: Desk) -> None:
    (whole, kept), (damaged, lost) = film(1), film(2)
    for data in (whole, damaged):
        desk.send(data)
    path = kept_as(desk.worklist, lost).path
    path.write_bytes(path.read_bytes()[:-2] + b"\1\2")
    sender = Sender(desk.port)
    assert sender.ask(("1.2.840.10008.5.1.4.1.1.7", kept), (CR, lost), (CR, "")) == 0x0000
    sender.wait()
    assert sender.kind == 2
    assert [each.FailureReason for each in sender.report.FailedSOPSequence] == [
        OTHER_CLASS,
        NO_SUCH_OBJECT,
        NO_SUCH_OBJECT,
    ]


def test_another_request_is_refused(desk: Desk) -> None:
    sender = Sender(desk.port)
    assert sender.ask((CR, "1.2.3"), action=2) == NO_SUCH_ACTION
    sender.association.release()
