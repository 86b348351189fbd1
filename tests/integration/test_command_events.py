"""Commands and the retention sweep are in the audit, with who ran them and how they ended."""

import getpass
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cxr_app import admin
from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import AuditStore
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from tests.support.audited import events
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from tests.support.site import DAY, PLANTED, Clock, Site
from training import batch

Run = Callable[..., list[AuditEvent]]
USER = pwd.getpwuid(os.getuid()).pw_name
COMMANDS = (
    ("backup", "FOLDER"),
    ("verify", "FOLDER"),
    ("restore", "FOLDER"),
    ("upgrade", "FOLDER"),
    ("doctor",),
    ("reenter",),
    ("confirm-clock",),
    ("audit", "verify"),
    ("audit", "export"),
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(Settings(data_dir=tmp_path / "data", retention_days=30), Clock())
    made.read_film(b"film")
    yield made
    made.worklist.close()


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command of the administrator; return its events."""
    monkeypatch.setenv("CXR_DATA_DIR", str(site.settings.data_dir))
    monkeypatch.setenv("LOGNAME", "somebody else")

    def command(*words: str) -> list[AuditEvent]:
        folder = str(tmp_path / "backup Quuxlove")
        before = len(events(site.settings.audit_folder, AuditKind.COMMAND))
        admin.main([folder if word == "FOLDER" else word for word in words])
        return events(site.settings.audit_folder, AuditKind.COMMAND)[before:]

    return command


def test_each_command_of_the_administrator_is_walked() -> None:
    choices = admin._parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert choices is not None
    assert set(choices) == {name for name, *_ in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_noted_with_its_user_and_its_end(run: Run, words: tuple[str, ...]) -> None:
    assert getpass.getuser() == "somebody else", "the environment can be changed"
    if words[0] in ("verify", "restore"):
        run("backup", "FOLDER")
    found = run(*words)
    name = " ".join(["admin", *(word for word in words if word != "FOLDER")])
    assert {event.who for event in found} == {USER}
    assert found[-1].detail.startswith(f"{name}: ")
    begun = [] if words[0] == "restore" else [f"{name}: begins"]
    assert [event.detail for event in found[:-1]] == begun
    assert "Quuxlove" not in str(found)


def test_a_command_that_fails_says_so(run: Run) -> None:
    *_, end = run("verify", "FOLDER")
    assert (end.outcome, end.detail) == (AuditOutcome.FAILED, "admin verify: SettingsError")


def test_a_command_that_only_reads_begins_no_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "new"))
    admin.main(["verify", str(tmp_path)])
    assert not (tmp_path / "new").exists()


def test_a_command_runs_even_if_the_audit_cannot_be_written(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(site.settings.data_dir))
    site.settings.audit_folder.write_text("no folder")
    admin.main(["confirm-clock"])
    printed = capsys.readouterr()
    assert "The clock is confirmed" in printed.out
    assert "not in the audit" in printed.err


def test_a_backlog_that_enters_films_is_noted_with_its_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Quuxlove"
    folder.mkdir()
    (folder / "a.jpeg").write_bytes(jpeg(1))
    (folder / "broken.dcm").write_text("no film")
    checkpoint = write_tiny(tmp_path / "tiny.safetensors")
    settings = {"DATA_DIR": tmp_path / "data", "CHECKPOINT": checkpoint, "DEVICE": "cpu"}
    for name, value in settings.items():
        monkeypatch.setenv(f"CXR_{name}", str(value))
    words = [str(folder), "--out", str(tmp_path / "results.csv"), "--workers", "0"]
    batch.main([*words, "--no-worklist"])
    assert not (tmp_path / "data" / "audit").exists(), "no film was entered"
    batch.main([*words[:2], str(tmp_path / "others.csv"), *words[3:]])
    begin, end = events(tmp_path / "data" / "audit", AuditKind.COMMAND)
    assert begin.detail == "training.batch: begins"
    assert end.detail.startswith("training.batch: 2 of 2 films: ")
    assert (end.who, end.outcome) == (USER, AuditOutcome.DONE)
    assert "Quuxlove" not in str((begin, end))


def test_a_sweep_is_noted_and_each_film_that_it_deletes_with_its_patient(site: Site) -> None:
    audit = AuditLog.of(site.settings)
    site.retention = Retention(site.settings, site.worklist, site.clock, audit)
    assert site.days_pass() == 1
    swept = [each.detail for each in events(site.settings.audit_folder, AuditKind.SWEPT)]
    assert swept[-1] == "1 deleted, 0 marked"
    assert "0 deleted, 1 marked" in swept
    (deleted,) = events(site.settings.audit_folder, AuditKind.DELETED)
    assert deleted.patient == audit.mark(PLANTED["patient_id"])
    site.clock.now += 400 * DAY
    site.retention.sweep()
    *_, stopped = events(site.settings.audit_folder, AuditKind.SWEPT)
    assert (stopped.outcome, stopped.detail) == (AuditOutcome.REFUSED, "the clock has jumped")
    audit.close()


def test_a_second_restoration_keeps_the_events_since_the_first(run: Run, site: Site) -> None:
    run("backup", "FOLDER")
    before = AuditStore(site.settings.audit_folder).head()[0]
    run("restore", "FOLDER")  # refused: the worklist has films
    folder = site.settings.audit_folder
    assert AuditStore(folder).head()[0] > before
    assert not list(folder.glob("audit-until-*"))
