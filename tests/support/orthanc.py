"""Orthanc in a network of its own: it listens on every address, and has no setting for that."""

import base64
import ctypes
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cxr_app.settings import PROJECT

CONFIGURATION = PROJECT / "docs" / "orthanc.json"
START_SECONDS = 60
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Orthanc:
    """A running server; its ports can be reached by the thread that started it."""

    title: str
    dicom_port: int
    http_port: int
    login: tuple[str, str] | None = None

    def get(self, path: str) -> bytes:
        """Return what the REST API answers."""
        return self._call(path, None)

    def json(self, path: str) -> Any:
        """Return an answer that is JSON."""
        return json.loads(self.get(path))

    def post(self, path: str, body: bytes) -> Any:
        """Send a body and return the answer, which is JSON."""
        return json.loads(self._call(path, body))

    def _call(self, path: str, body: bytes | None) -> bytes:
        address = f"http://127.0.0.1:{self.http_port}{path}"
        request = urllib.request.Request(address, body)
        if self.login is not None:
            written = base64.b64encode(":".join(self.login).encode()).decode()
            request.add_header("Authorization", f"Basic {written}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return bytes(answer.read())


@contextmanager
def running(
    folder: Path, login: tuple[str, str] | None = None, **changes: Any
) -> Iterator[Orthanc]:
    """Run Orthanc with the configuration of the guide, and enter its network.

    Parameters
    ----------
    login
        User and password of the REST API, if the changes have them.
    changes
        Items of the configuration that have other values.
    """
    program = shutil.which("Orthanc")
    if program is None:
        pytest.skip("Orthanc is not installed: apt-get install orthanc")
    if shutil.which("unshare") is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("Orthanc needs a network of its own here, which needs root, unshare and ip")
    configuration = json.loads(CONFIGURATION.read_text(encoding="utf-8"))
    configuration |= {"StorageDirectory": str(folder), "IndexDirectory": str(folder), **changes}
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    script = f"ip link set lo up && exec {program} {path}"
    with (folder / "log.txt").open("wb") as log:
        command = ["unshare", "--net", "sh", "-c", script]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _enter_network_of(server.pid, own)
        orthanc = Orthanc(
            configuration["DicomAet"], configuration["DicomPort"], configuration["HttpPort"], login
        )
        _wait_until_ready(orthanc, folder)
        yield orthanc
    finally:
        _enter(own)
        os.close(own)
        server.terminate()
        server.wait(START_SECONDS)


def _enter(descriptor: int) -> None:
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        pytest.skip(f"Orthanc's network cannot be entered: {os.strerror(ctypes.get_errno())}")


def _enter_network_of(pid: int, own: int) -> None:
    """Enter the network that a child has made for itself, once it has."""
    deadline = time.monotonic() + START_SECONDS
    before = os.fstat(own).st_ino
    while True:
        descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            if os.fstat(descriptor).st_ino != before:
                _enter(descriptor)
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > deadline:
            pytest.skip("Orthanc needs a network of its own, which is not permitted here")
        time.sleep(0.05)


def _wait_until_ready(orthanc: Orthanc, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            orthanc.get("/system")
        except OSError:
            assert time.monotonic() < deadline, (folder / "log.txt").read_text()
            time.sleep(0.1)
        else:
            return
