"""A command of the administrator that is stopped half-way, or whose output nobody reads on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.operations import backup
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.support.audited import events
from tests.support.site import Clock, Site

STOPS_IN_RESTORATION = """
import os, runpy, signal, sys, time
from cxr_app.operations import backup

sent = getattr(signal, sys.argv.pop())

def stopped(copy, url, place_of):
    assert copy.is_file()
    os.kill(os.getpid(), sent)
    time.sleep(30)

backup.restore_snapshot = stopped
runpy.run_module("cxr_app.admin", run_name="__main__", alter_sys=True)
"""


def settings_for(folder: Path) -> dict[str, str]:
    system = folder.with_name("system")
    system.mkdir(exist_ok=True)
    return {**os.environ, "CXR_DATA_DIR": str(folder), "TMPDIR": str(system)}


@pytest.fixture
def backed_up(tmp_path: Path) -> Path:
    """A backup of one read film, whose patient has a name."""
    site = Site(Settings(data_dir=tmp_path / "data"), Clock())
    site.read_film(b"film")
    site.worklist.close()
    backup.back_up(site.settings, tmp_path / "backup")
    return tmp_path / "backup"


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_a_restoration_that_is_stopped_leaves_no_copy_and_can_be_repeated(
    backed_up: Path, tmp_path: Path, signal: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    stopped = subprocess.run(
        [sys.executable, "-c", STOPS_IN_RESTORATION, "restore", backed_up, signal],
        env=settings_for(elsewhere),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (stopped.returncode, stopped.stdout) == (130, "")
    assert stopped.stderr == "Stopped before the end. Run the same command again.\n"
    left = [*elsewhere.rglob("worklist-*"), *(tmp_path / "system").rglob("*")]
    assert left == []
    *_, noted = events(elsewhere / "audit", AuditKind.COMMAND)
    assert noted.outcome is AuditOutcome.FAILED
    backup.restore(Settings(data_dir=elsewhere), backed_up)
    worklist = Worklist.open(f"sqlite:///{elsewhere / 'worklist.sqlite'}")
    assert worklist.count(Query(state="all")) == 1
    worklist.close()


def test_the_copy_of_a_restoration_that_was_killed_goes_with_the_next(
    backed_up: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    killed = subprocess.run(
        [sys.executable, "-c", STOPS_IN_RESTORATION, "restore", backed_up, "SIGKILL"],
        env=settings_for(elsewhere),
        check=False,
    )
    assert killed.returncode == -9
    assert list((tmp_path / "system").rglob("*")) == []
    assert list(elsewhere.rglob("worklist-*"))
    backup.restore(Settings(data_dir=elsewhere), backed_up)
    assert not list(elsewhere.rglob("worklist-*"))


def test_an_export_of_which_only_the_begin_is_read_is_no_fault(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    audit = AuditLog.of(Settings(data_dir=folder))
    for number in range(2_000):
        audit.record(AuditKind.COMMAND, who="somebody", detail=f"command {number}")
    audit.close()
    with subprocess.Popen(
        [sys.executable, "-m", "cxr_app.admin", "audit", "export"],
        env=settings_for(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline().startswith('{"number": 1,')
        command.stdout.close()
        assert command.stderr.read() == ""
    assert command.returncode == 0
    assert _last(folder).outcome is AuditOutcome.DONE


def _last(folder: Path) -> AuditEvent:
    return events(folder / "audit", AuditKind.COMMAND)[-1]


@pytest.mark.parametrize(
    "head", ["99:", "99", "99:abc", ":" + 64 * "0", "-1:" + 64 * "0", "x:" + 64 * "0", ""]
)
def test_a_head_that_was_not_noted_whole_is_refused(tmp_path: Path, head: str) -> None:
    folder = tmp_path / "data"
    AuditLog.of(Settings(data_dir=folder)).close()
    asked = subprocess.run(
        [sys.executable, "-m", "cxr_app.admin", "audit", "verify", f"--noted={head}"],
        env=settings_for(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 2
    assert asked.stdout == ""
    assert "64 hexadecimal digits" in asked.stderr
