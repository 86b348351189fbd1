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
from cxr_app.audit.store import AuditStore
from cxr_app.errors import AuditError
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
