"""What a modality sends, and what is refused to it, is in the audit before it is answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import AuditStore
from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.imaging.film_identity import read_header
from cxr_app.pacs import storing
from cxr_app.pacs.reception import Reception
from cxr_app.pacs.store_server import StoreServer
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.audited import events
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.outcomes import scored, sha256
from tests.support.peers import free_port, receiving, store_over

PATIENT = "QX-18151210"
PLANTED = "Quuxlove^Zebedea"


def film() -> bytes:
    return dicom_bytes(radiograph_dataset(PatientName=PLANTED, PatientID=PATIENT))


def received(folder: Path) -> list[AuditEvent]:
    return events(folder / "audit", AuditKind.RECEIVED, AuditKind.REFUSED)


def test_each_object_has_its_sender_its_patient_and_its_outcome(tmp_path: Path) -> None:
    data = film()
    with receiving(tmp_path / "data") as receiver:
        for _ in range(2):
            assert receiver.store(data, "ROOM1")[0] == 0
        status, _ = receiver.store(data, "ROOM1", announced="1.2.3")
        assert status == 0xA900
        audit = AuditLog(tmp_path / "data" / "audit")
        first, again, refused = received(tmp_path / "data")
    assert (first.who, first.address, first.detail) == ("ROOM1", "127.0.0.1", "new")
    assert (first.outcome, first.patient) == (AuditOutcome.DONE, audit.mark(PATIENT))
    assert first.film == again.film != ""
    assert again.detail == "known"
    assert (refused.outcome, refused.film) == (AuditOutcome.REFUSED, "")
    assert "another SOP class or UID" in refused.detail
    audit.close()
    held = b"".join(path.read_bytes() for path in (tmp_path / "data" / "audit").iterdir())
    assert b"Quuxlove" not in held
    assert PATIENT.encode() not in held


def test_a_refused_association_is_noted_once(tmp_path: Path) -> None:
    with receiving(tmp_path / "data", dicom_callers="ROOM1") as receiver:
        assert receiver.echo("STRANGER") is None
        assert receiver.echo("ROOM1") == 0
    (refused,) = received(tmp_path / "data")
    assert (refused.kind, refused.who) == (AuditKind.REFUSED, "STRANGER")
    assert (refused.address, refused.outcome) == ("127.0.0.1", AuditOutcome.REFUSED)
    assert "CXR_DICOM_CALLERS" in refused.detail


def test_a_film_that_was_acknowledged_before_the_power_went_has_its_event(tmp_path: Path) -> None:
    with receiving(tmp_path / "data") as receiver:
        for _ in range(3):
            assert receiver.store(film())[0] == 0
        receiver.kill()
        assert len(received(tmp_path / "data")) == 3
        receiver.restart()
        assert receiver.store(film())[0] == 0
    assert len(received(tmp_path / "data")) == 4
    assert not AuditStore(tmp_path / "data" / "audit").verify().fault


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, Worklist]]:
    """Run a receiver in this process, with an audit; yield its port and its worklist."""
    settings = Settings(data_dir=folder, dicom_port=free_port())
    worklist, audit = Worklist.open(settings.worklist_url), AuditLog(folder / "audit")
    server = StoreServer(settings, worklist, FilmStore(settings.films_dir), audit)
    server.start()
    try:
        yield settings.dicom_port or 0, worklist
    finally:
        server.stop()
        audit.close()
        worklist.close()


def the_refused(folder: Path) -> tuple[str, str]:
    """Return the only event's patient and detail, and check that it is a refusal."""
    (event,) = received(folder)
    assert event.outcome is AuditOutcome.REFUSED
    return event.patient, event.detail


def marked(folder: Path) -> str:
    audit = AuditLog(folder / "audit")
    audit.close()
    return audit.mark(PATIENT)


def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorklistError("The database does not answer.")

    monkeypatch.setattr(Reception, "receive", refuse)


def with_small_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MAX_FILE_BYTES", 10_000)


@pytest.mark.parametrize(
    ("hinder", "status"), [(without_database, 0xA700), (with_small_films, 0xC002)]
)
@pytest.mark.parametrize("side", [160, 400])  # within one part, and in several
def test_a_refused_film_has_its_patient(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hinder: Callable[[pytest.MonkeyPatch], None],
    status: int,
    side: int,
) -> None:
    hinder(monkeypatch)
    data = dicom_bytes(radiograph_dataset(film_pixels(side, side), PatientID=PATIENT))
    with serving(tmp_path) as (port, _):
        assert store_over(port, data) == status
    assert the_refused(tmp_path)[0] == marked(tmp_path)


def test_a_film_that_is_cut_short_has_its_patient(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        assert store_over(port, film()[:-100]) == 0xC001
    assert the_refused(tmp_path)[0] == marked(tmp_path)


def test_a_moved_film_of_another_patient_has_that_patient(tmp_path: Path) -> None:
    ds = dcmread(BytesIO(film()))
    asked_for = read_header(dicom_bytes(radiograph_dataset(PatientID="QX-2")))
    assert asked_for is not None
    with serving(tmp_path) as (port, worklist):
        worklist.receive(sha256("film"), "upload", Path("/nowhere"))
        entry = worklist.record(scored("film", header=asked_for))
        worklist.film_requests.ask(entry, [str(ds.SOPInstanceUID)])
        entity = AE("ARCHIVE")
        entity.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
        association = entity.associate("127.0.0.1", port)
        answer = association.send_c_store(ds, originator_aet="CXR", originator_id=1)
        association.release()
    assert answer.Status == 0xC003
    assert the_refused(tmp_path)[0] == marked(tmp_path)
