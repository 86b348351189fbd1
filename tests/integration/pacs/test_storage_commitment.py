"""Senders ask whether their films are kept for good: Orthanc, and senders that wait."""

import json
from collections.abc import Iterator
from io import BytesIO
from logging import WARNING
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ComputedRadiographyImageStorage, generate_uid
from pynetdicom import AE, evt

from cxr_app.film_store import FilmStore
from cxr_app.pacs import event_reports, storage_commitment
from cxr_app.pacs.contexts import COMMITMENT
from cxr_app.pacs.event_reports import QUIET_SECONDS
from cxr_app.pacs.reception import Reception
from cxr_app.pacs.storage_commitment import (
    COMMITMENT_INSTANCE,
    NO_SUCH_ACTION,
    NO_SUCH_OBJECT,
    OTHER_CLASS,
)
from cxr_app.pacs.store_server import STOP_SECONDS, StoreServer
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
    """A sender that asks, and waits for the answers on the same association.

    Parameters
    ----------
    port
        Of our receiver.
    pause
        Seconds after each part that it sends.
    thinks
        Seconds until it accepts an answer.
    """

    def __init__(self, port: int, pause: float = 0.0, thinks: float = 0.0) -> None:
        self.reports: list[tuple[int, Dataset]] = []
        self._pause, self._thinks = pause, thinks
        self.told = Event()
        entity = AE("MODALITY")
        entity.add_requested_context(COMMITMENT)
        entity.add_requested_context(CR)
        handlers: list[Any] = [
            (evt.EVT_N_EVENT_REPORT, self._on_report),
            (evt.EVT_PDU_SENT, lambda _: sleep(self._pause)),
        ]
        self.association = entity.associate("127.0.0.1", port, evt_handlers=handlers)
        assert self.association.is_established

    @property
    def report(self) -> Dataset:
        return self.reports[-1][1]

    @property
    def kind(self) -> int:
        return self.reports[-1][0]

    def _on_report(self, event: evt.Event) -> tuple[int, None]:
        self.reports.append((event.event_type or 0, event.event_information))
        self.told.set()
        sleep(self._thinks)
        return 0x0000, None

    def ask(self, *references: tuple[str, str], action: int = 1) -> int:
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = [Dataset() for _ in references]
        for item, (sop_class, uid) in zip(request.ReferencedSOPSequence, references, strict=True):
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        status, _ = self.association.send_n_action(request, action, COMMITMENT, COMMITMENT_INSTANCE)
        return int(status.Status)

    def store(self, data: bytes) -> int:
        """Send a film; return the status, or -1 without an answer."""
        answer = self.association.send_c_store(dcmread(BytesIO(data)))
        return int(answer.get("Status", -1))

    def wait(self, reports: int = 1) -> None:
        deadline = monotonic() + 60
        while len(self.reports) < reports:
            assert monotonic() < deadline
            sleep(0.05)
        sleep(0.5 + self._thinks)  # until its own answer has left
        assert self.association.is_established
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


def test_a_film_that_only_a_folder_holds_is_not_committed_to(desk: Desk, tmp_path: Path) -> None:
    data, uid = film()
    path = tmp_path / "film.dcm"
    path.write_bytes(data)
    Reception(FilmStore(desk.settings.films_dir), desk.worklist).receive(
        data, "film.dcm", None, path
    )
    sender = Sender(desk.port)
    assert sender.ask((CR, uid)) == 0x0000
    sender.wait()
    assert [each.FailureReason for each in sender.report.FailedSOPSequence] == [NO_SUCH_OBJECT]


def test_another_request_is_refused(desk: Desk) -> None:
    sender = Sender(desk.port)
    assert sender.ask((CR, "1.2.3"), action=2) == NO_SUCH_ACTION
    sender.association.release()


def large_film() -> bytes:
    return dicom_bytes(radiograph_dataset(film_pixels(1600, 1600)))


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return warnings and errors, less those of other tests' associations that end meanwhile."""
    told = [record.getMessage() for record in caplog.records if record.levelno >= WARNING]
    return [message for message in told if message != "Network timeout reached"]


def test_a_film_that_is_arriving_is_answered_before_the_report(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    (data, uid), large = film(), large_film()
    desk.send(data)
    sender = Sender(desk.port, pause=0.05)
    assert sender.ask((CR, uid)) == 0x0000
    assert sender.store(large) == 0x0000
    assert not sender.reports
    sender.wait()
    assert sender.kind == 1
    assert logged(caplog) == []


def test_a_report_that_crosses_a_film_loses_neither(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_quiet(_: object, seconds: float) -> bool:
        return seconds == QUIET_SECONDS

    monkeypatch.setattr(event_reports._Line, "_is_quiet", is_quiet)
    (data, uid), large = film(), large_film()
    desk.send(data)
    sender = Sender(desk.port, pause=0.05)
    assert sender.ask((CR, uid)) == 0x0000
    assert sender.store(large) == 0x0000
    assert sender.reports
    sender.wait()
    assert logged(caplog) == []


def test_a_film_that_is_sent_before_the_report_is_accepted_is_answered(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    data, uid = film()
    desk.send(data)
    sender = Sender(desk.port, thinks=2)
    assert sender.ask((CR, uid)) == 0x0000
    assert sender.told.wait(60)
    for seed in (1, 2):
        assert sender.store(film(seed)[0]) == 0x0000
    assert sender.ask((CR, "2.25.4711")) == 0x0000
    sender.wait(2)
    assert [kind for kind, _ in sender.reports] == [1, 2]
    assert logged(caplog) == []


def test_every_film_and_every_question_among_others_is_answered(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender(desk.port)
    for seed in range(8):
        data, uid = film(seed)
        assert sender.store(data) == 0x0000
        assert sender.ask((CR, uid)) == 0x0000
        sleep(0.15 * seed)  # reports come before, within and after this
    sender.wait(8)
    assert [kind for kind, _ in sender.reports] == [1] * 8
    assert logged(caplog) == []


@pytest.fixture
def known(tmp_path: Path) -> Iterator[tuple[Desk, int]]:
    """Yield a receiver that knows the address of the sender, and its port there."""
    port = free_port()
    opened = Desk(tmp_path / "data", free_port(), f"MODALITY@127.0.0.1:{port}")
    yield opened, port
    opened.close()


def test_a_sender_is_told_at_its_address_while_it_sends(known: tuple[Desk, int]) -> None:
    desk, port = known
    told: list[int] = []

    def on_report(event: evt.Event) -> tuple[int, None]:
        told.append(event.event_type or 0)
        return 0x0000, None

    listener = AE("MODALITY")
    listener.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    server = listener.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, on_report)]
    )
    assert server is not None
    (data, uid), large = film(), large_film()
    desk.send(data)
    sender = Sender(desk.port, pause=0.05)
    assert sender.ask((CR, uid)) == 0x0000
    assert sender.store(large) == 0x0000
    assert told == [1]
    sender.association.release()
    assert sender.reports == []
    server.shutdown()


UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom does not close the socket of a connection that is refused."""


@UNCLOSED
def test_a_sender_that_does_not_listen_is_told_on_its_association(known: tuple[Desk, int]) -> None:
    desk, _ = known
    data, uid = film()
    desk.send(data)
    sender = Sender(desk.port)
    assert sender.ask((CR, uid)) == 0x0000
    sender.wait()
    assert sender.kind == 1


def test_a_sender_that_leaves_and_is_unknown_is_noted(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_commitment, "TRIES_SECONDS", (0.2, 0.2))
    sender = Sender(desk.port)
    assert sender.ask((CR, "2.25.4711")) == 0x0000
    sender.association.release()
    deadline = monotonic() + 60
    while not logged(caplog):
        assert monotonic() < deadline
        sleep(0.05)
    (line,) = logged(caplog)
    assert "neither CXR_FILMS_FROM nor" in line


def test_a_sender_that_stays_does_not_keep_a_server_from_ending(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data", free_port())
    sender = Sender(desk.port)
    assert sender.ask((CR, "2.25.4711")) == 0x0000
    assert sender.told.wait(60)
    sleep(0.5)  # until its own answer has left
    began = monotonic()
    desk.close()
    assert monotonic() - began < STOP_SECONDS / 2
