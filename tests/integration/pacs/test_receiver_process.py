"""The app keeps a receiver running, and none outlives it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from cxr_app.jobs.companion import Companion
from cxr_app.low_priority import NICENESS
from cxr_app.settings import PROJECT, Settings
from tests.support.peers import WAIT_SECONDS, free_port, is_open

RECEIVER = "cxr_app.pacs.receiver"
APP = """
import sys, time
from cxr_app.jobs.companion import Companion
from cxr_app.settings import Settings
Companion("cxr_app.pacs.receiver", Settings()).start()
time.sleep(600)
"""


def wait_until(port: int, *, is_there: bool) -> None:
    deadline = monotonic() + WAIT_SECONDS
    while is_open(port) is not is_there:
        assert monotonic() < deadline
        sleep(0.1)


def started(folder: Path) -> tuple[Companion, int, int]:
    """Start a receiver as the app does; return it, its process and its port."""
    port = free_port()
    process = Companion(RECEIVER, Settings(data_dir=folder / "data", dicom_port=port))
    process.start()
    wait_until(port, is_there=True)
    assert process.pid is not None
    return process, process.pid, port


def test_a_receiver_that_dies_is_started_again(tmp_path: Path) -> None:
    process, pid, port = started(tmp_path)
    psutil.Process(pid).kill()
    wait_until(port, is_there=False)
    wait_until(port, is_there=True)
    process.stop()
    assert not is_open(port)
    assert process.pid is None


def test_a_receiver_ends_when_its_app_is_killed(tmp_path: Path) -> None:
    port = free_port()
    environment = {"CXR_DATA_DIR": str(tmp_path / "data"), "CXR_DICOM_PORT": str(port)}
    app = subprocess.Popen([sys.executable, "-c", APP], cwd=PROJECT, env=os.environ | environment)
    wait_until(port, is_there=True)
    (child,) = psutil.Process(app.pid).children()
    app.kill()
    app.wait()
    child.wait(WAIT_SECONDS)
    assert not is_open(port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has threads with priorities")
def test_a_receiver_yields_to_the_pages_of_its_app(tmp_path: Path) -> None:
    process, pid, _ = started(tmp_path)
    lowered = {
        os.getpriority(os.PRIO_PROCESS, thread.id) for thread in psutil.Process(pid).threads()
    }
    process.stop()
    assert lowered == {min(psutil.Process().nice() + NICENESS, 19)}


@pytest.mark.parametrize(
    ("port", "status", "word"), [("", 2, "CXR_DICOM_PORT is not set"), ("taken", 1, "another")]
)
def test_alone_it_says_why_it_cannot_receive(
    tmp_path: Path, port: str, status: int, word: str
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = str(holder.getsockname()[1]) if port else ""
        run = subprocess.run(
            [sys.executable, "-m", "cxr_app.pacs.receiver"],
            cwd=PROJECT,
            env=os.environ | {"CXR_DATA_DIR": str(tmp_path), "CXR_DICOM_PORT": taken},
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    assert run.returncode == status
    assert word in run.stderr
