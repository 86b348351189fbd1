"""What a server costs before anybody asks it: time until it is ready, and memory."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from cxr_app.errors import SettingsError
from training.bench.revision import ProgramCopy

PATIENCE_SECONDS = 180.0
SETTLED_SECONDS = 5.0
"""After it is ready; then its memory is read."""


class IdleServer(NamedTuple):
    """Seconds from its start until the model is ready, and MB of it and its processes then."""

    seconds: float
    megabytes: float


def start_and_measure(program: ProgramCopy, data: Path) -> IdleServer:
    """Start a server on an empty folder, measure it and end it.

    Raises
    ------
    SettingsError
        If it is not ready in time.
    """
    port = _free_port()
    words = ["-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port"]
    began = time.monotonic()
    server = subprocess.Popen(  # noqa: S603 - our own program
        [program.python, *words, str(port)],
        cwd=program.folder,
        env={**os.environ, "CXR_DATA_DIR": str(data), "CXR_DEVICE": "cpu"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/healthz", server)
        seconds = time.monotonic() - began
        time.sleep(SETTLED_SECONDS)
        return IdleServer(seconds, _megabytes(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()


def _wait_until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if b'"ready"' in _answer(address):
            return
        time.sleep(0.05)
    raise SettingsError("The server was not ready in time.")


def _answer(address: str) -> bytes:
    """Return what an address answers; nothing if it does not."""
    with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content
    return b""


def _megabytes(pid: int) -> float:
    """Return the memory of a process and all that it started; what they share counts once."""
    whole = psutil.Process(pid)
    processes = (whole, *whole.children(recursive=True))
    return float(sum(each.memory_full_info().pss for each in processes)) / 2**20


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port
