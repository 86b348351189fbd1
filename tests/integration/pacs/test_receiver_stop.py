"""A receiver ends when it is told to, whatever its peers do; a silent one keeps no place in it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from pydicom.uid import ComputedRadiographyImageStorage
from pynetdicom import AE

from cxr_app.film_store import FilmStore
from cxr_app.pacs import store_server
from cxr_app.pacs.store_server import ABORT_SECONDS, STOP_SECONDS, StoreServer
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.peers import WAIT_SECONDS, free_port, receiving

HALF_REQUEST = b"\x01\x00\x00\x00\x01\x00half"
HALF_DATA = b"\x04\x00\x00\x00\x01\x00half"
"""The begin of an A-ASSOCIATE-RQ and of a P-DATA-TF, of 256 bytes each."""
BUSY_SECONDS = 10
"""What a busy machine may take beside the bounds."""


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def half_a_request(port: int) -> socket.socket:
    peer = connected(port)
    peer.sendall(HALF_REQUEST)
    return peer


def associated(port: int) -> socket.socket:
    """Return the socket of an association whose peer has fallen silent."""
    entity = AE("SILENT")
    entity.add_requested_context(ComputedRadiographyImageStorage)
    provider: Any = entity.associate("127.0.0.1", port).dul
    provider._kill_thread = True
    provider.join()
    peer: socket.socket = provider.socket.socket
    return peer


def half_a_message(port: int) -> socket.socket:
    peer = associated(port)
    peer.sendall(HALF_DATA)
    return peer


@pytest.mark.parametrize("begin", [connected, half_a_request, associated, half_a_message])
def test_a_silent_peer_does_not_keep_a_receiver_from_ending(
    tmp_path: Path, begin: Callable[[int], socket.socket]
) -> None:
    with receiving(tmp_path / "data") as receiver, begin(receiver.port):
        sleep(0.5)  # until it has read that
        told = monotonic()
        receiver.stop()
        assert monotonic() - told < ABORT_SECONDS + BUSY_SECONDS < STOP_SECONDS
        assert receiver.process.returncode == 0
        assert "Traceback" not in receiver.log.read_text()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[StoreServer]:
    settings = Settings(data_dir=folder, dicom_port=port)
    worklist = Worklist.open(settings.worklist_url)
    server = StoreServer(settings, worklist, FilmStore(settings.films_dir))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        worklist.close()


@pytest.mark.parametrize("begin", [half_a_request, half_a_message])
def test_a_peer_that_falls_silent_within_a_message_loses_its_place(
    tmp_path: Path, begin: Callable[[int], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_server, "SILENCE_SECONDS", 0.5)
    port = free_port()
    with serving(tmp_path, port), begin(port) as peer:
        peer.settimeout(WAIT_SECONDS)
        while peer.recv(1024):
            pass


def test_a_probe_of_the_port_keeps_no_place(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as server:
        began = monotonic()
        for _ in range(5):
            connected(port).close()
        sleep(0.5)  # until all have been accepted
        while server._entity.active_associations:
            sleep(0.05)
        assert monotonic() - began < BUSY_SECONDS  # of 30 that it would wait
