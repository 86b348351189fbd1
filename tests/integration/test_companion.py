"""A process that runs as long as the server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cxr_app.jobs import companion
from cxr_app.jobs.companion import Companion
from cxr_app.settings import Settings

SLEEPER = "tests.support.sleeper"


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_is_started_again_when_it_was_killed_and_ends_with_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(companion, "FIRST_PAUSE_SECONDS", 0.05)
    watched = Companion(SLEEPER, Settings())
    watched.start()
    wait_for(lambda: watched.pid)
    first = watched.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: watched.pid not in (None, first))
    second = watched.pid
    assert second is not None
    watched.stop()
    assert watched.pid is None
    assert not psutil.pid_exists(second)


def test_a_process_whose_settings_are_wrong_is_not_started_again() -> None:
    watched = Companion(SLEEPER, Settings(ae_title="BAD"))
    watched.start()
    wait_for(lambda: not watched._thread.is_alive())
    assert watched.pid is None
    watched.stop()


def test_one_that_is_not_wanted_is_not_started() -> None:
    watched = Companion(SLEEPER, Settings(), is_wanted=False)
    watched.start()
    time.sleep(0.1)
    assert watched.pid is None
    watched.stop()


def test_it_ends_if_the_server_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    program = (
        "from cxr_app.jobs.companion import Companion; from cxr_app.settings import Settings;"
        "import time; settings = Settings.read(results_to='A@127.0.0.1:1');"
        "watched = Companion('cxr_app.pacs.sender', settings);"
        "watched.start()\nwhile watched.pid is None: time.sleep(0.05)\n"
        "print(watched.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        server.kill()
    wait_for(lambda: not psutil.pid_exists(child) or is_dead(child))


def is_dead(pid: int) -> bool:
    """Check whether nobody has taken note yet of the end of a process."""
    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
