"""Events that somebody waits for are on the disk; no event stops another."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app.audit import log as log_module
from cxr_app.audit.event import AuditKind
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import AuditFilter, AuditStore
from cxr_app.errors import AuditError
from cxr_app.radiograph import Header
from cxr_app.settings import PROJECT
from tests.support.audited import events

MARK = "import sys, pathlib; from cxr_app.audit.log import AuditLog; "
MARK += "log = AuditLog(pathlib.Path(sys.argv[1])); print(log.mark('QX-1')); log.close()"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    made = AuditLog(tmp_path / "audit")
    yield made
    made.close()


def test_an_event_that_somebody_waits_for_is_on_the_disk(log: AuditLog) -> None:
    for number in range(20):
        assert log.record_now(AuditKind.RECEIVED, detail=str(number))
        assert log.store.head()[0] == number + 1


def test_many_that_wait_share_a_write_and_lose_nothing(log: AuditLog) -> None:
    def record() -> None:
        for _ in range(25):
            assert log.record_now(AuditKind.RECEIVED)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.store.verify().events == 200
    assert not log.store.verify().fault


def test_nobody_waits_for_a_disk_that_takes_nothing(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_events: object) -> None:
        raise AuditError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(log.store, "append", refuse)
        assert not log.record_now(AuditKind.RECEIVED, detail="first")
        begun = time.monotonic()
        for _ in range(50):
            assert not log.record_now(AuditKind.RECEIVED)
        assert time.monotonic() - begun < log_module.LONGEST_WAIT_SECONDS
    log.close()
    assert log.store.head()[0] == 51, "all are written once the disk takes them"


def test_nobody_waits_longer_than_a_sender_does(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "LONGEST_WAIT_SECONDS", 0.2)
    with log.store.locked():  # another process writes, for long
        assert not log.record_now(AuditKind.RECEIVED)
    log.close()
    assert log.store.head()[0] == 1


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\udcff name", "\n"])
def test_no_text_stops_the_events_after_it(log: AuditLog, text: str) -> None:
    log.record(AuditKind.REFUSED, who=text, detail=text)
    assert log.record_now(AuditKind.STARTED)
    assert [event.kind for event in events(log.store.path.parent)] == [
        AuditKind.REFUSED,
        AuditKind.STARTED,
    ]
    assert not AuditStore(log.store.path.parent).verify().fault


def test_processes_that_begin_an_audit_at_once_have_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MARK, str(tmp_path / "audit")]
    begun = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    marks = {process.communicate(timeout=60)[0] for process in begun}
    assert len(marks) == 1


ISSUERS = ["", "HOSP", "A^B", "search", "Krankenhaus \u00c4"]


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_patient_is_found_by_the_id_alone_and_with_the_issuer(log: AuditLog, issuer: str) -> None:
    header = Header(patient_id="QX-1", issuer_of_patient_id=issuer)
    log.record(AuditKind.FILM_SHOWN, header)
    log.record(AuditKind.FILM_SHOWN, Header(patient_id="QX-2", issuer_of_patient_id=issuer))
    earlier = log._hash("QX-1", issuer)
    log.record(AuditKind.HEADER_SHOWN, patient=earlier)
    log.flush()
    for written, issuers in (("QX-1", ISSUERS), (f"QX-1^^^{issuer}" if issuer else "QX-1", ())):
        sought = AuditFilter(patient=log.sought_marks(written, issuers))
        assert [each.number for each in log.store.newest(sought)] == [3, 1], written
    sought = AuditFilter(patient=log.sought_marks("QX-1", ()))
    kinds = {each.event.kind for each in log.store.newest(sought)}
    assert AuditKind.FILM_SHOWN in kinds, "even if no film names the issuer any longer"
    other = AuditFilter(patient=log.sought_marks("QX-1^^^ELSEWHERE", ISSUERS))
    assert not log.store.newest(other)


def test_an_id_with_the_separator_in_it_is_found_as_it_is(log: AuditLog) -> None:
    log.record(AuditKind.FILM_SHOWN, Header(patient_id="A^^^B", issuer_of_patient_id="HOSP"))
    log.flush()
    for written in ("A^^^B", "A^^^B^^^HOSP"):
        assert log.store.newest(AuditFilter(patient=log.sought_marks(written, ["HOSP"])))


def test_a_search_for_the_id_is_found_with_the_patient(log: AuditLog) -> None:
    log.record(AuditKind.SEARCHED, patient=log.search_mark(" qx-1"))
    log.flush()
    assert log.store.newest(AuditFilter(patient=log.sought_marks("QX-1", ())))
