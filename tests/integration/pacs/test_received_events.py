"""What a modality sends, and what is refused to it, is in the audit before it is answered."""

from pathlib import Path

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import AuditStore
from tests.support.audited import events
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.peers import receiving

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
