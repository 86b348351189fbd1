"""Real peers on a DICOM network: our receiver as a process, and the senders of DCMTK."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE

from cxr_app.imaging.dicom import end_of_file_meta
from cxr_app.imaging.dicom_prefix import PREFIX
from cxr_app.settings import PROJECT

WAIT_SECONDS = 120
VERIFICATION = "1.2.840.10008.1.1"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def need(program: str) -> None:
    """Skip a test whose program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} of DCMTK or Orthanc is not installed; .ci/run installs it")


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def called(entity: AE, port: int, *handlers: Any) -> Association | None:
    """Return an association, or None if it is refused; close what pynetdicom leaves open then."""
    connections: list[Any] = []
    keep: Any = (evt.EVT_CONN_OPEN, lambda event: connections.append(event.assoc.dul.socket.socket))
    association = entity.associate("127.0.0.1", port, evt_handlers=[keep, *handlers])
    if association.is_established:
        return association
    for connection in connections:
        connection.close()
    return None


def exchange(
    port: int, data: bytes, title: str = "TEST", *, announced: str = "", pause: float = 0.0
) -> tuple[int, str]:
    """Send a file as it stands by C-STORE; return status and comment, or -1 without an answer.

    Parameters
    ----------
    announced
        SOP Instance UID of the request; if empty, that of the file.
    pause
        Seconds between two parts of the film.
    """
    meta = dcmread(BytesIO(data), stop_before_pixels=True, force=True).file_meta
    entity = AE(title)
    entity.add_requested_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)
    association = called(entity, port, (evt.EVT_PDU_SENT, lambda _: sleep(pause)))
    if association is None:
        return -1, ""
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = meta.MediaStorageSOPClassUID
    request.AffectedSOPInstanceUID = announced or meta.MediaStorageSOPInstanceUID
    request.Priority = 2
    request.DataSet = BytesIO(data[end_of_file_meta(data, PREFIX.stop) :])
    association._reactor_checkpoint.clear()  # its thread would take the answer
    while not association._is_paused and association.is_established:
        sleep(0.01)
    context = association.accepted_contexts[0].context_id or 0
    try:
        association.dimse.send_msg(request, context)
        answer = association.dimse.get_msg(block=True)[1]
    finally:
        association._reactor_checkpoint.set()
    association.release()
    if not isinstance(answer, C_STORE) or answer.Status is None:
        return -1, ""
    return int(answer.Status), str(answer.ErrorComment or "")


def store_over(port: int, data: bytes, title: str = "TEST", *, pause: float = 0.0) -> int:
    """Send a file by C-STORE; return the status, or -1 without an answer."""
    return exchange(port, data, title, pause=pause)[0]


class ReceiverUnderTest:
    """A receiver in a process of its own, on a port of its own."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.port = free_port()
        self.data_dir = data_dir
        self.log = data_dir.parent / "receiver.log"
        self._settings = settings
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        own = {"data_dir": self.data_dir, "dicom_port": self.port}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cxr_app.pacs.receiver"],
                cwd=PROJECT,
                env=_environment(own | self._settings),
                stdout=log,
                stderr=log,
            )
        deadline = monotonic() + WAIT_SECONDS
        while not self.answers():
            assert process.poll() is None, self.log.read_text()
            assert monotonic() < deadline
            sleep(0.1)
        return process

    def answers(self) -> bool:
        """Return whether the port is open."""
        return is_open(self.port)

    def echo(self, title: str = "TEST") -> int | None:
        """Send a C-ECHO; return its status, None if the association was refused."""
        entity = AE(title)
        entity.add_requested_context(VERIFICATION)
        association = called(entity, self.port)
        if association is None:
            return None
        status = association.send_c_echo()
        association.release()
        return int(status.Status)

    def store(self, data: bytes, title: str = "TEST", announced: str = "") -> tuple[int, str]:
        """Send a file as it stands by C-STORE; return status and comment, as `exchange`."""
        return exchange(self.port, data, title, announced=announced)

    def send(self, *command: str, files: Sequence[Path] = ()) -> str:
        """Run a sender of DCMTK; return what it printed."""
        need(command[0])
        address = ["127.0.0.1", str(self.port)]
        run = subprocess.run(
            [*command, *address, *map(str, files)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WAIT_SECONDS,
            check=False,
        )
        return run.stdout + run.stderr

    def kill(self) -> None:
        """End it at once, as the machine's failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same port and folder."""
        self.process = self._start()

    def stop(self) -> None:
        """End it as a person would."""
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)


def run_to_its_end(program: str, **settings: object) -> "subprocess.CompletedProcess[str]":
    """Run a DICOM process whose settings keep it from working; what it says is in the result."""
    return subprocess.run(
        [sys.executable, "-m", f"cxr_app.pacs.{program}"],
        cwd=PROJECT,
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    return os.environ | {f"CXR_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def receiving(data_dir: Path, **settings: str) -> Iterator[ReceiverUnderTest]:
    """Run a receiver."""
    receiver = ReceiverUnderTest(data_dir, **settings)
    try:
        yield receiver
    finally:
        receiver.stop()
