"""Peers on a DICOM network of their own: Orthanc, our receiver and sender, DCMTK as a modality.

Orthanc listens on every address of its network, hence one that nothing else is in.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil

from cxr_app.errors import CxrError
from cxr_app.settings import PROJECT

RECEIVER_PORT, ORTHANC_PORT, ORTHANC_HTTP = 11112, 14242, 18042
PROGRAMS = ("Orthanc", "storescu", "unshare", "ip")
START_SECONDS = 120.0
ANSWER_SECONDS = 60.0
POLL_SECONDS = 0.05


class PeerMissingError(CxrError):
    """A program of a measurement is not installed, or a network of its own is not allowed."""


def in_own_network(module: str, *arguments: str) -> Any:
    """Run a module's `main` in a network of its own; return what it prints as JSON.

    Raises
    ------
    PeerMissingError
        If that is not possible here.
    """
    if missing := [each for each in PROGRAMS if shutil.which(each) is None]:
        raise PeerMissingError(
            f"Orthanc is not measured: {', '.join(missing)} is not installed. "
            "Run: apt-get install orthanc dcmtk iproute2"
        )
    own_network = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    script = 'ip link set lo up && exec "$@"'
    trial = subprocess.run(  # noqa: S603 - our own command
        [*own_network, script, "sh", "true"], capture_output=True, check=False
    )
    if trial.returncode != 0:
        raise PeerMissingError(
            "Orthanc is not measured: a network namespace of its own is not permitted here."
        )
    run = subprocess.run(  # noqa: S603 - our own command
        [*own_network, script, "sh", sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"{module} ended with status {run.returncode}; see above.")
    return json.loads(run.stdout)


@contextmanager
def orthanc(folder: Path, **changes: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run an empty Orthanc; `changes` are items of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "DicomPort": ORTHANC_PORT,
        "HttpPort": ORTHANC_HTTP,
        "DicomModalities": {"cxr": ["CXR", "127.0.0.1", RECEIVER_PORT]},
        **changes,
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    command = ["Orthanc", str(folder / "orthanc.json")]
    with running(command, folder / "orthanc.log", ORTHANC_HTTP) as process:
        yield process


@contextmanager
def running(
    command: Sequence[str], log: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the block ends; the block begins once it listens."""
    with log.open("ab") as written:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=PROJECT,
            env=settings_only(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
    try:
        wait_until_open(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def settings_only(environment: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings of the program and no others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CXR_")}
    return {**own, **environment}


def wait_until_open(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until a program listens on a port.

    Raises
    ------
    PeerMissingError
        If it ends, or takes too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise PeerMissingError(f"A program does not listen on port {port}.")
        time.sleep(POLL_SECONDS)


def send(films: Sequence[Path], port: int) -> int:
    """Send films by C-STORE over one association; return the sender's exit status."""
    command = ["storescu", "-R", "-aet", "MODALITY", "-aec", "CXR", "127.0.0.1", str(port)]
    run = subprocess.run(  # noqa: S603
        [*command, *map(str, films)], capture_output=True, check=False
    )
    return run.returncode


def call_orthanc(path: str, body: bytes | None = None) -> Any:
    """Return what Orthanc's REST API answers; None if it does not answer."""
    request = Request(f"http://127.0.0.1:{ORTHANC_HTTP}{path}", body)
    try:
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read())
    except (HTTPError, URLError, OSError):
        return None


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children have taken."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
