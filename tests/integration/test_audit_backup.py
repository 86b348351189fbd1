"""The audit in backups, and on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_app import admin
from cxr_app.audit.event import AuditKind
from cxr_app.audit.log import AuditLog
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from tests.support.site import Clock, Site

Run = Callable[..., int]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one film and three events."""
    made = Site(Settings(data_dir=tmp_path / "data"), Clock())
    made.read_film(b"film")
    note(made.settings, 3)
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command for an installation."""

    def command(settings: Settings, *arguments: object) -> int:
        monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
        return admin.main([str(each) for each in arguments])

    return command


def note(settings: Settings, events: int) -> None:
    log = AuditLog(settings.audit_folder)
    for _ in range(events):
        log.record(AuditKind.FILM_SHOWN, Header(patient_id="QX-1", patient_name="Quuxlove"))
    log.close()


def test_an_audit_is_restored_with_its_chain_and_its_key(
    site: Site, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, elsewhere = tmp_path / "backup", Settings(data_dir=tmp_path / "elsewhere")
    assert run(site.settings, "backup", backup) == 0
    assert run(site.settings, "verify", backup) == 0
    assert "Quuxlove" not in (backup / "backup.json").read_text()
    note(elsewhere, 1)
    for _ in range(2):  # as after an interruption
        assert run(elsewhere, "restore", backup) in (0, 2)
    capsys.readouterr()
    assert run(elsewhere, "audit", "verify") == 0
    assert "The chain is whole" in capsys.readouterr().out
    restored, here = AuditLog(elsewhere.audit_folder), AuditLog(site.settings.audit_folder)
    assert restored.mark("QX-1") == here.mark("QX-1")
    assert restored.store.after(0, 3) == here.store.after(0, 3)
    assert len(list(elsewhere.audit_folder.glob("audit-until-*.sqlite"))) == 1, "nothing is lost"
    for log in (restored, here):
        log.close()


def test_a_damaged_audit_in_a_backup_is_found(site: Site, run: Run, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    run(site.settings, "backup", backup)
    path = backup / "audit" / "audit.sqlite"
    path.write_bytes(path.read_bytes().replace(b"FILM_SHOWN", b"FILM_SH0WN"))
    assert run(site.settings, "verify", backup) == 1


def test_a_noted_head_is_checked_on_the_command_line(
    site: Site, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site.settings, "audit", "verify") == 0
    head = capsys.readouterr().out.split()[-1]
    note(site.settings, 1)
    assert run(site.settings, "audit", "verify", "--noted", head) == 0
    assert run(site.settings, "audit", "verify", "--noted", f"3:{'0' * 64}") == 1
    capsys.readouterr()
    assert run(site.settings, "audit", "export") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert sum(line["kind"] == "FILM_SHOWN" for line in lines) == 4
    assert "QX-1" not in str(lines)
