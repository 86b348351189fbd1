"""Films cut into parts in any way arrive as they were sent, by way of pynetdicom or past it."""

import inspect
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from time import sleep
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import TRANSITION_TABLE
from pynetdicom.transport import AssociationSocket

from cxr_app.imaging.dicom import end_of_file_meta
from cxr_app.imaging.dicom_prefix import PREFIX
from cxr_app.pacs.fast_pdus import FilmFile, on_connected, received_file
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

CR = str(ComputedRadiographyImageStorage)
FILM = dicom_bytes(radiograph_dataset(film_pixels(96, 80), SOPClassUID=CR))
DATASET = FILM[end_of_file_meta(FILM, PREFIX.stop) :]
COMMAND, LAST = 0b01, 0b10


@dataclass
class Receiver:
    """A server that keeps what `received_file` returns, and whether it came past pynetdicom."""

    port: int = 0
    files: list[bytes] = field(default_factory=list)
    is_fast: list[bool] = field(default_factory=list)

    def store(self, event: evt.Event) -> int:
        """Keep the file of a request."""
        self.is_fast.append(isinstance(getattr(event.request, "DataSet", None), FilmFile))
        self.files.append(received_file(event))
        return 0x0000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    entity = AE("CXR")
    entity.add_supported_context(CR)
    entity.maximum_pdu_size = 0
    entity.network_timeout = 30
    server = entity.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_CONN_OPEN, on_connected), (evt.EVT_C_STORE, found.store)],
    )
    assert server is not None
    found.port = server.server_address[1]
    yield found
    server.shutdown()


def item(data: bytes, control: int, context: int = 1) -> bytes:
    return struct.pack(">LBB", len(data) + 2, context, control) + data


def pdu(*items: bytes) -> bytes:
    content = b"".join(items)
    return struct.pack(">BxL", 4, len(content)) + content


def command(number: int) -> bytes:
    """Return the command set of a C-STORE request."""
    ds = Dataset()
    ds.AffectedSOPClassUID, ds.CommandField, ds.MessageID = CR, 0x0001, number
    ds.Priority, ds.CommandDataSetType = 2, 0x0001
    ds.AffectedSOPInstanceUID = f"1.2.3.{number}"
    body = encode(ds, True, True)
    assert body is not None
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def send(receiver: Receiver, messages: list[list[bytes]], pause: float = 0.0) -> list[int | None]:
    """Send PDUs as they are over one association; return the status of each message."""
    entity = AE("TEST")
    entity.add_requested_context(CR, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", receiver.port)
    assert association.is_established
    association._reactor_checkpoint.clear()  # its thread would take the answer
    while not association._is_paused:
        sleep(0.01)
    connection: Any = association.dul.socket
    answers: list[int | None] = []
    for pdus in messages:
        for each in pdus:
            connection.socket.sendall(each)
            sleep(pause)
        answer = association.dimse.get_msg(block=True)[1]
        answers.append(answer.Status if isinstance(answer, C_STORE) else None)
    association._reactor_checkpoint.set()
    association.release()
    return answers


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 4000), min_size=1, max_size=3), min_size=1, max_size=8),
    st.integers(1, 2),
    st.booleans(),
)
def test_a_film_in_any_parts_arrives_to_the_byte(
    receiver: Receiver, sizes: list[list[int]], films: int, split_command: bool
) -> None:
    receiver.files.clear()
    messages = []
    for number in range(films):
        asked = command(number)
        half = len(asked) // 2 if split_command else 0
        pdus = [pdu(item(asked[:half], COMMAND))] if half else []
        pdus.append(pdu(item(asked[half:], COMMAND | LAST)))
        rest = DATASET
        for group in sizes:
            parts = []
            for size in group:
                parts.append(item(rest[:size], 0))
                rest = rest[size:]
            pdus.append(pdu(*parts))
        messages.append([*pdus, pdu(item(rest, LAST))])
    assert send(receiver, messages) == [0x0000] * films
    for number, file in enumerate(receiver.files):
        assert file[end_of_file_meta(file, PREFIX.stop) :] == DATASET
        meta = dcmread(BytesIO(file), stop_before_pixels=True).file_meta
        assert meta.MediaStorageSOPInstanceUID == f"1.2.3.{number}"
        assert meta.TransferSyntaxUID == ExplicitVRLittleEndian


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_large_films_go_past_the_state_machine(receiver: Receiver, pause: float) -> None:
    receiver.is_fast.clear()
    parts = [DATASET[start : start + 2000] for start in range(0, len(DATASET), 2000)]
    pdus = [pdu(item(each, 0)) for each in parts[:-1]]
    message = [pdu(item(command(1), COMMAND | LAST)), *pdus, pdu(item(parts[-1], LAST))]
    assert send(receiver, [message], pause) == [0x0000]
    assert receiver.is_fast == [True]


@pytest.mark.parametrize("kept", [3, 8, 500])
def test_a_connection_that_ends_within_a_part_leaves_no_film(receiver: Receiver, kept: int) -> None:
    receiver.files.clear()
    entity = AE("TEST")
    entity.add_requested_context(CR, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", receiver.port)
    connection: Any = association.dul.socket
    connection.socket.sendall(pdu(item(command(1), COMMAND | LAST)))
    connection.socket.sendall(pdu(item(DATASET[:2000], 0)) + pdu(item(DATASET[:2000], 0))[:kept])
    sleep(0.1)
    connection.socket.shutdown(socket.SHUT_RDWR)
    association.abort()
    connection.socket.close()
    whole = [pdu(item(command(2), COMMAND | LAST)), pdu(item(DATASET, LAST))]
    assert send(receiver, [whole]) == [0x0000]
    assert len(receiver.files) == 1


def test_what_it_leans_on_in_pynetdicom_is_there() -> None:
    reading = inspect.getsource(DULServiceProvider._read_pdu_data)
    assert "self.socket.recv(6)" in reading
    assert "self.socket.recv(pdu_length)" in reading
    assert "self._read_pdu_data()" in inspect.getsource(DULServiceProvider._is_transport_event)
    assert isinstance(AssociationSocket.ready, property)
    assert ("Evt17", "Sta6") in TRANSITION_TABLE
