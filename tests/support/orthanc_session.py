"""Orthanc and our receiver in a network of their own: films go into one and are sent to the other.

    unshare -n python -m tests.support.orthanc_session FOLDER

FOLDER has the films as `*.dcm`; `FOLDER/site/data` becomes the receiver's data folder. Printed as
JSON: the HTTP status of each send, by file name. Orthanc has no bind address, hence the network.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.support.peers import ReceiverUnderTest

HTTP = 18042
DICOM = 14242
WAIT_SECONDS = 60


def main(folder: Path) -> int:
    """Send all films, and print what was answered."""
    raise_loopback()
    site = folder / "site"
    site.mkdir()
    receiver = ReceiverUnderTest(site / "data")
    orthanc = start_orthanc(folder / "orthanc", receiver.port)
    try:
        sys.stdout.write(json.dumps(send_all(folder)))
    finally:
        orthanc.terminate()
        orthanc.wait(WAIT_SECONDS)
        receiver.stop()
    return 0


def raise_loopback() -> None:
    """Switch on the loopback device, which a new network has switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, flags)  # SIOCSIFFLAGS


def start_orthanc(folder: Path, receiver_port: int) -> "subprocess.Popen[bytes]":
    """Start an empty Orthanc that knows the receiver, and wait until it answers."""
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "DicomPort": DICOM,
        "HttpPort": HTTP,
        "Plugins": ["/usr/share/orthanc/plugins"],
        "DicomModalities": {"cxr": ["CXR", "127.0.0.1", receiver_port]},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            ["Orthanc", str(folder / "orthanc.json")],  # noqa: S607
            stdout=log,
            stderr=log,
        )
    deadline = monotonic() + WAIT_SECONDS
    while call("GET", "/system")[0] != 200:
        assert process.poll() is None, (folder / "log.txt").read_text()
        assert monotonic() < deadline
        sleep(0.2)
    return process


def send_all(folder: Path) -> dict[str, int]:
    """Give Orthanc each film, and have it send it."""
    answers = {}
    for film in sorted(folder.glob("*.dcm")):
        status, stored = call("POST", "/instances", film.read_bytes())
        assert status == 200, film.name
        answers[film.name] = call("POST", "/modalities/cxr/store", stored["ID"].encode())[0]
    return answers


def call(method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    """Call Orthanc; return the status and the decoded answer, 0 if it does not listen."""
    request = Request(f"http://127.0.0.1:{HTTP}{path}", body, method=method)
    try:
        with urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, None
    except URLError:
        return 0, None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
