"""An association that this program asks for, bounded in time.

References
----------
DICOM PS3.8 (association), PS3.7 9.1.5 and PS3.4 A.4 (C-ECHO).
"""

import logging
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from pynetdicom import AE, evt
from pynetdicom.association import Association

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError
from cxr_app.pacs.answer_wait import on_connected as wait_while_data_comes
from cxr_app.pacs.reactor_pause import ReactorPause

VERIFICATION = "1.2.840.10008.1.1"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""Longest wait for a connection, and for each answer while nothing of it arrives."""
ABORT_SECONDS = 5.0
"""Longest time for telling a peer that an association is aborted."""

logging.getLogger("pynetdicom").setLevel(logging.ERROR)  # its messages may quote datasets


def calling_entity(ae_title: str) -> AE:
    """Return this program as it calls: it can ask for an echo, and waits for no answer for ever.

    Parameters
    ----------
    ae_title
        By which it calls.
    """
    entity = AE(ae_title)
    entity.connection_timeout = CONNECT_SECONDS
    entity.acse_timeout = entity.dimse_timeout = ANSWER_SECONDS
    entity.network_timeout = 2 * ANSWER_SECONDS
    entity.add_requested_context(VERIFICATION)
    return entity


def open_association(
    entity: AE,
    target: Destination,
    *,
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
) -> Association:
    """Open an association.

    Parameters
    ----------
    entity
        This program, with the contexts to propose.
    target
        Whom to call.
    roles
        As ``ext_neg`` of `pynetdicom.AE.associate`.
    handlers
        As ``evt_handlers`` there.

    Raises
    ------
    ArchiveError
        If it cannot be reached or refuses; the message says what to check.
    """
    watched = [
        (evt.EVT_CONN_OPEN, _send_at_once),
        (evt.EVT_CONN_OPEN, _close_for_certain),
        (evt.EVT_CONN_OPEN, _pause_reliably),
        (evt.EVT_CONN_OPEN, wait_while_data_comes),
        (evt.EVT_ABORTED, _end_soon),
    ]
    try:
        association = entity.associate(
            target.host,
            target.port,
            ae_title=target.ae_title,
            ext_neg=list(roles) or None,
            evt_handlers=[*watched, *handlers],
        )
    except (OSError, UnicodeError) as error:  # it looks the name up before it connects
        raise ArchiveError(f"{target.name} cannot be called: {_reason(error, target)}") from None
    if association.is_established:
        return association
    raise ArchiveError(
        f"{target.name} "
        + (
            f"refuses the association. Register {entity.ae_title} there, and check its title here."
            if association.is_rejected
            else "cannot be reached. Check that it runs, its address, and firewalls."
        )
    )


def _reason(error: OSError | UnicodeError, target: Destination) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"no address is known for {target.host}. Check that name, and DNS on this server."
    return f"{error.strerror or type(error).__name__}. Check its address and this server's network."


class ArchiveAssociation(ABC):
    """One association with an archive, open within ``with`` and released at its end."""

    _association: Association

    @abstractmethod
    def _open(self) -> Association:
        """Open the association, as `open_association` does."""

    def __enter__(self) -> Self:
        self._association = self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._association.is_established:
            self._association.release()


def socket_of(event: evt.Event) -> socket.socket | None:
    """Return the connection that an event happened on, if it is still there."""
    connection = event.assoc.dul.socket
    return None if connection is None else connection.socket


def _send_at_once(event: evt.Event) -> None:
    """Collect no small parts: a request would wait 40 ms until its head is acknowledged."""
    if (connection := socket_of(event)) is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _close_for_certain(event: evt.Event) -> None:
    """Close the connection at its end: pynetdicom leaves one open that the peer has reset."""
    if (connection := socket_of(event)) is not None:
        event.assoc.bind(evt.EVT_CONN_CLOSE, lambda _: connection.close())


def _pause_reliably(event: evt.Event) -> None:
    """Let each answer reach whoever asked."""
    association: Any = event.assoc
    association._reactor_checkpoint = ReactorPause(association)


def _end_soon(event: evt.Event) -> None:
    """End the connection of an aborted association.

    pynetdicom waits, without limit, for its thread that reads or writes: a peer that reads nothing,
    or that answers a byte at a time, would hold it.
    """
    if (connection := socket_of(event)) is not None:
        timer = threading.Timer(ABORT_SECONDS, shut_down, [connection])
        timer.daemon = True
        timer.start()


def shut_down(connection: socket.socket) -> None:
    """End a connection that another thread reads from or writes to, which then fails."""
    with suppress(OSError):  # it has ended meanwhile
        # Not its own method, for that of TLS would take the encryption from the reader.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
