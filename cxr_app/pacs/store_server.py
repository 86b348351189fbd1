"""The DICOM server: associations, C-ECHO, C-STORE and storage commitment."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.transport import ThreadedAssociationServer

from cxr_app.audit.log import AuditLog
from cxr_app.errors import PacsError
from cxr_app.film_store import FilmStore
from cxr_app.pacs.association import socket_of
from cxr_app.pacs.callers import Callers
from cxr_app.pacs.contexts import supported_contexts
from cxr_app.pacs.ended_connections import AWAITING_REQUEST
from cxr_app.pacs.ended_connections import on_connected as log_in_a_line
from cxr_app.pacs.event_reports import EventReports
from cxr_app.pacs.fast_pdus import on_connected as read_fast
from cxr_app.pacs.idle_wait import on_connected as wait_idle
from cxr_app.pacs.moved_films import MovedFilms
from cxr_app.pacs.peer_counts import PeerCounter, PeerName
from cxr_app.pacs.received_events import note_received, note_rejected
from cxr_app.pacs.reception import Reception
from cxr_app.pacs.storage_commitment import StorageCommitment
from cxr_app.pacs.storing import Storing
from cxr_app.pacs.transport_security import tls_context
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)

MAX_ASSOCIATIONS = 128
PDU_BYTES = 131_072
"""Largest PDU to receive; the default of 16 kB costs twice the CPU time for a large film."""
SILENCE_SECONDS = 60.0
"""Longest silence of a peer within a handshake or a PDU."""
STOP_SECONDS = 20.0
"""Time that films in flight have to finish."""
ABORT_SECONDS = 1.0
"""Time that aborts have to leave: a peer that has fallen silent takes none."""
POLL_SECONDS = 0.05
WITHOUT_ASSOCIATION = (AWAITING_REQUEST, "Sta13")
"""States of a connection before an association and after an abort (PS3.8 9.2.1)."""
REJECTED_TITLE = (0x01, 0x01, 0x03)
"""Permanent, by the service user, calling AE title not recognised (PS3.8 9.3.4)."""
TOO_MANY = f"More than {MAX_ASSOCIATIONS} associations at a time."


class StoreServer:
    """Receives films over the DICOM network.

    Parameters
    ----------
    settings
        Title, host, port, and who may send.
    worklist, films
        Where films are entered and kept.
    audit
        Where each object and each refusal is recorded; None counts them alone.

    Raises
    ------
    SettingsError
        If the files for TLS cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        worklist: Worklist,
        films: FilmStore,
        audit: AuditLog | None = None,
    ) -> None:
        self._settings = settings
        self._audit = audit
        self._callers = Callers(settings)
        self._tls = tls_context(settings)
        self._counter = PeerCounter(worklist)
        self._storing = Storing(Reception(films, worklist), films.root)
        self._moved = MovedFilms(worklist, settings.ae_title)
        self._reports = EventReports()
        self._commitment = StorageCommitment(settings, worklist, self._reports)
        self._entity = AE(settings.ae_title)
        self._entity.maximum_associations = MAX_ASSOCIATIONS
        self._entity.maximum_pdu_size = PDU_BYTES
        self._server: ThreadedAssociationServer | None = None
        self._busy: set[Association] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen.

        Raises
        ------
        PacsError
            If the port cannot be had.
        """
        address = (self._settings.dicom_host, self._settings.dicom_port or 0)
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._on_connected),
            (evt.EVT_REQUESTED, self._on_requested),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_C_ECHO, self._on_echo),
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_N_ACTION, self._commitment.on_action),
            (evt.EVT_PDU_RECV, self._on_pdu_received),
            (evt.EVT_PDU_SENT, self._on_pdu_sent),
            (evt.EVT_DIMSE_RECV, self._on_message_received),
            (evt.EVT_DIMSE_SENT, self._reports.on_message),
            (evt.EVT_CONN_CLOSE, self._on_closed),
        ]
        try:
            self._server = self._entity.start_server(
                address,
                block=False,
                ssl_context=self._tls,
                evt_handlers=handlers,
                contexts=supported_contexts(),
            )
        except OSError as error:
            raise PacsError(
                f"Films cannot be received on {address[0]} port {address[1]}: {error.strerror}. "
                "Check CXR_DICOM_HOST, and whether another program has the port."
            ) from error
        self._counter.start()
        logger.info("Receiving films as %s on %s:%d", self._settings.ae_title, *address)

    def stop(self) -> None:
        """Take no more associations, let films in flight finish, and end within bounds."""
        if self._server is not None:
            self._server.shutdown()
        _wait(STOP_SECONDS, self._abort_idle)
        for association in self._open():
            association.abort(block=False)
        _wait(ABORT_SECONDS, self._have_ended)
        self._counter.stop()

    def _abort_idle(self) -> bool:
        """Abort the associations that send nothing; return whether no other is left."""
        open_still = self._open()
        for association in open_still:
            if not self._is_busy(association):
                association.abort(block=False)
        return not open_still

    def _have_ended(self) -> bool:
        """Return whether no association has a connection; its thread may outlast that."""
        return not any(each.dul.is_alive() for each in self._entity.active_associations)

    def _open(self) -> list[Association]:
        """Return the associations that may send; one that was never asked for waits for nothing."""
        return [each for each in self._entity.active_associations if each.is_established]

    def _is_busy(self, association: Association) -> bool:
        with self._lock:
            return association in self._busy

    def _on_connected(self, event: evt.Event) -> None:
        _bound_waiting(event)
        read_fast(event)
        log_in_a_line(event)
        wait_idle(event)
        self._reports.on_connected(event)

    def _on_requested(self, event: evt.Event) -> None:
        """Reject a peer that may not send; its reason is on the page of connections."""
        association = event.assoc
        title = getattr(association.requestor.primitive, "calling_ae_title", "")
        peer = str(title).strip(), str(association.requestor.address)
        objection = self._callers.objection(*peer)
        if objection:
            logger.warning("Association from %s@%s rejected: %s", *peer, objection)
            self._counter.refused(peer, objection)
            note_rejected(self._audit, peer, objection)
            association.acse.send_reject(*REJECTED_TITLE)
            association.kill()

    def _on_rejected(self, event: evt.Event) -> None:
        """Note that pynetdicom has rejected a peer: too many are connected."""
        requestor = event.assoc.requestor
        title = getattr(requestor.primitive, "calling_ae_title", "")
        note_rejected(self._audit, (str(title).strip(), str(requestor.address)), TOO_MANY)

    def _on_echo(self, event: evt.Event) -> int:
        self._counter.seen(_peer(event))
        return 0x0000

    def _on_store(self, event: evt.Event) -> Dataset:
        peer = _peer(event)
        stored = self._moved.refuse(event) or self._storing.store(event, peer)
        answer = stored.answer
        if stored.arrived is not None:
            self._counter.arrived(peer, stored.arrived)
        else:
            logger.warning("Refused from %s@%s: 0x%04X %s", *peer, answer.status, answer.comment)
            self._counter.refused(peer, answer.comment)
        note_received(self._audit, peer, stored)
        return answer.as_dataset()

    def _on_pdu_received(self, event: evt.Event) -> None:
        """Remember that an association is receiving a film, from its first part on."""
        if isinstance(event.pdu, P_DATA_TF):
            with self._lock:
                self._busy.add(event.assoc)

    def _on_message_received(self, event: evt.Event) -> None:
        """Remember that what has arrived needs no answer: it is the answer to a report."""
        if isinstance(event.message, N_EVENT_REPORT_RSP):
            self._forget(event.assoc)
        self._reports.on_message(event)

    def _on_pdu_sent(self, event: evt.Event) -> None:
        """Remember that the answer has left, or a report, which may cross a film."""
        if isinstance(event.pdu, P_DATA_TF) and event.assoc.dimse.message is None:
            self._forget(event.assoc)

    def _on_closed(self, event: evt.Event) -> None:
        self._reports.on_closed(event)
        self._forget(event.assoc)
        _stop_waiting(event)

    def _forget(self, association: Association) -> None:
        with self._lock:
            self._busy.discard(association)


def _wait(seconds: float, is_done: Callable[[], bool]) -> None:
    """Wait until something is done, but no longer than that."""
    deadline = time.monotonic() + seconds
    while not is_done() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _bound_waiting(event: evt.Event) -> None:
    """Have a peer that falls silent within a PDU keep neither its place nor this process."""
    event.assoc.dul.daemon = True
    if (connection := socket_of(event)) is not None:
        connection.settimeout(SILENCE_SECONDS)


def _stop_waiting(event: evt.Event) -> None:
    """End the wait for a request that cannot come any more: a probe of the port keeps no place.

    Nor does a peer whose request could not be read, and which was sent an abort for it.
    """
    provider: Any = event.assoc.dul
    has_asked = event.assoc.requestor.primitive is not None
    if provider.state_machine.current_state in WITHOUT_ASSOCIATION and not has_asked:
        provider.to_user_queue.put(None)


def _peer(event: evt.Event) -> PeerName:
    requestor = event.assoc.requestor
    return str(requestor.ae_title).strip(), str(requestor.address)
