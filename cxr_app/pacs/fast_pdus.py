"""A large film from the socket with few copies: pynetdicom's own way takes twice the CPU time.

pynetdicom 3.0 reads 4 kB at a time, 2,500 system calls for a film of 10 MB, copies each part six
times, and sends each PDU through queues and a state machine. Here a PDU is read in one piece, and
the parts of a film, as long as more have arrived, go straight behind the meta header of its file.
This leans on names of pynetdicom that are not public; its version is pinned, and tests look for
them.

References
----------
DICOM PS3.8 9.3.5 (P-DATA-TF), Table 9-23 (presentation data value item), Annex E.2 (its header).
"""

import socket
import struct
from functools import partial
from io import BytesIO
from typing import Any

from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dsutils import create_file_meta, encode_file_meta

_HEAD = struct.Struct(">BxLLxB")
"""PDU type, PDU length, item length, message control header; between them a context."""
_P_DATA = 0x04
_MORE_DATA = 0b00
"""Message control header of a part of a dataset that is not its last."""
_ITEM_LENGTH = 4
_ESTABLISHED = "Sta6"
AT_ONCE = 256
"""PDUs after which the association looks at its timers again."""


class FilmFile(BytesIO):
    """A film's file that grows with what is received; it begins with its meta header."""


def received_file(event: evt.Event) -> bytes:
    """Return the file of a C-STORE request, as received."""
    dataset = getattr(event.request, "DataSet", None)
    return dataset.getvalue() if isinstance(dataset, FilmFile) else event.encoded_dataset()


def received_beginning(event: evt.Event, size: int) -> bytes:
    """Return the first bytes of a dataset behind the meta header, without copying the rest."""
    request: Any = event.request
    dataset: BytesIO = request.DataSet
    with dataset.getbuffer() as view:
        beginning = bytes(view[:size])
    if isinstance(dataset, FilmFile):
        return beginning
    return b"".join((bytes(128), b"DICM", encode_file_meta(event.file_meta), beginning))


def on_connected(event: evt.Event) -> None:
    """Let an association read its PDUs so; bind it to ``evt.EVT_CONN_OPEN``."""
    provider: Any = event.assoc.dul
    connection = provider.socket
    if connection is None or connection.socket is None:
        return
    connection.recv = partial(_receive, connection)
    if type(connection.socket) is socket.socket:  # TLS can look at nothing in advance
        provider._read_pdu_data = partial(_read, provider, provider._read_pdu_data)


def _receive(connection: Any, length: int) -> bytearray:
    """Read so many bytes; fewer if the peer closes the connection."""
    data = bytearray(length)
    done = _fill(connection.socket, data)
    return data if done == length else data[:done]


def _fill(source: socket.socket, buffer: bytearray | memoryview) -> int:
    """Fill a buffer; return how many bytes came before the peer closed the connection."""
    with memoryview(buffer) as view:
        done = 0
        while done < len(view):
            received = source.recv_into(view[done:])
            if not received:
                break
            done += received
        return done


def _read(provider: Any, otherwise: Any) -> None:
    """Read what has arrived: parts of a film as they are, then a PDU as pynetdicom does."""
    for number in range(AT_ONCE):
        if number and not provider.socket.ready:
            return
        length = _length_of_part(provider)
        if not length:
            break
        part = bytearray(length)
        try:
            done = _fill(provider.socket.socket, part)
        except OSError:
            done = 0
        if done < length:
            provider.event_queue.put("Evt17")  # the connection is closed
            return
        with memoryview(part) as view:
            _dataset_of(provider).write(view[_HEAD.size :])
    else:
        return
    otherwise()


def _dataset_of(provider: Any) -> BytesIO:
    """Return where the film in hand is received; its meta header is written first."""
    message = provider.assoc.dimse.message
    received: BytesIO = message.data_set
    if isinstance(received, FilmFile) or received.tell():
        return received
    head = _file_head(provider.assoc, message)
    if not head:
        return received
    message.data_set = FilmFile()
    message.data_set.write(head)
    found: BytesIO = message.data_set
    return found


def _file_head(association: Any, message: C_STORE_RQ) -> bytes:
    """Return preamble and meta header; empty if the request does not name its object."""
    context = association._accepted_cx.get(message.context_id)
    command = message.command_set
    names = command.get("AffectedSOPClassUID"), command.get("AffectedSOPInstanceUID")
    if context is None or not all(names):
        return b""
    meta = create_file_meta(
        sop_class_uid=names[0],
        sop_instance_uid=names[1],
        transfer_syntax=context.transfer_syntax[0],
    )
    return b"".join((bytes(128), b"DICM", encode_file_meta(meta)))


def _length_of_part(provider: Any) -> int:
    """Return the length of the next PDU if it is one part of a film with more to come, else 0."""
    message = provider.assoc.dimse.message
    if not isinstance(message, C_STORE_RQ):
        return 0
    if provider.state_machine.current_state != _ESTABLISHED:
        return 0
    try:
        head = provider.socket.socket.recv(_HEAD.size, socket.MSG_PEEK)
    except OSError:
        return 0
    if len(head) < _HEAD.size:
        return 0
    kind, length, item_length, control = _HEAD.unpack(head)
    is_one_part = kind == _P_DATA and length == item_length + _ITEM_LENGTH
    return length + 6 if is_one_part and control & 0b11 == _MORE_DATA else 0
