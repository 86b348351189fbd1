"""Connections that end by what a peer has sent, or not sent: a line each in the log.

pynetdicom 3.0 logs a stack trace for a peer without a certificate, for a title that is none, and
for a scanner of ports, so that anybody who reaches the port fills the log, and nobody sees who it
was. Here what it logs while it reads what a peer has sent becomes one line with address and reason;
what is not the peer's fault is logged as ever. This leans on names of pynetdicom that are not
public; its version is pinned, and tests look for them.
"""

import logging
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pynetdicom import _config, evt

from cxr_app.ae_title import AE_TITLE_RULE

logger = logging.getLogger(__name__)

SOURCES = ("dul", "fsm", "pdu", "pdu_items", "pdu_primitives", "utils")
"""Modules of pynetdicom that read what a peer has sent."""
TITLES = {
    "calling_ae_title": f"Its AE title is none: {AE_TITLE_RULE}.",
    "called_ae_title": f"The AE title that it calls is none: {AE_TITLE_RULE}.",
}
TLS = {
    "WRONG_VERSION_NUMBER": "It does not speak TLS.",
    "HTTP_REQUEST": "It does not speak TLS.",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "It shows no certificate, and CXR_DICOM_CLIENT_AUTHORITY asks for one."
    ),
    "UNSUPPORTED_PROTOCOL": "It speaks TLS of a version before 1.2.",
    "TLSV1_ALERT_UNKNOWN_CA": "It does not trust this receiver's certificate.",
}
AWAITING_REQUEST = "Sta2"
"""State of a connection without an association (PS3.8 9.2.1)."""
TLS_RECORD = "0x16"
"""Type of the record that begins TLS, where a PDU has its own type (RFC 8446, 5.1)."""

_reading = threading.local()


class _WhileReading(logging.Filter):
    """Keeps what is logged in a thread that reads what a peer has sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged as it is."""
        records: list[logging.LogRecord] | None = getattr(_reading, "records", None)
        if records is None:
            return True
        records.append(record)
        return False


_filter = _WhileReading()
for _source in SOURCES:
    logging.getLogger(f"pynetdicom.{_source}").addFilter(_filter)


# They print requests, which name patients, below a warning, and fail with odd ones.
_config.LOG_HANDLER_LEVEL = "none"


def on_connected(event: evt.Event) -> None:
    """Let an association log so; bind it to ``evt.EVT_CONN_OPEN``, after what reads its PDUs."""
    provider: Any = event.assoc.dul
    connection = _Connection(event.assoc)
    provider._read_pdu_data = partial(connection.read, provider._read_pdu_data)
    provider.state_machine.do_action = partial(connection.act, provider.state_machine.do_action)


class _Connection:
    """A peer's connection; the first reason for its end counts, others follow from it."""

    def __init__(self, association: Any) -> None:
        self._association = association
        self._has_ended = False

    def read(self, read: Callable[[], None]) -> None:
        """Read what has arrived; log in a line what it ends the connection by."""
        with self._watched():
            read()

    def act(self, do_action: Callable[[str], None], event: str) -> None:
        """Act on what was read; a request that cannot be taken as one ends the connection."""
        provider = self._association.dul
        if provider.state_machine.current_state != AWAITING_REQUEST:
            do_action(event)
            return
        try:
            with self._watched():
                do_action(event)
        except Exception:
            if not self._has_ended:
                raise
            provider.kill_dul()
            provider.to_user_queue.put(None)  # else its place is kept for half a minute

    @contextmanager
    def _watched(self) -> Iterator[None]:
        records: list[logging.LogRecord] = []
        _reading.records = records
        try:
            yield
        finally:
            _reading.records = None
            if records and not self._has_ended:
                self._has_ended = True
                address = self._association.requestor.address
                logger.warning("Connection from %s ended: %s", address, reason_of(records))


def reason_of(records: list[logging.LogRecord]) -> str:
    """Return why a connection ended, without what the peer has sent, which may name a patient."""
    errors = [each.exc_info[1] for each in records if each.exc_info and each.exc_info[1]]
    if errors:
        return _reason(errors[-1])
    message = records[0].getMessage()
    if message.startswith("Unknown PDU type"):
        if TLS_RECORD in message:
            return "It speaks TLS, and CXR_DICOM_CERTIFICATE is not set."
        return "It does not speak DICOM."
    if "protocol version" in message:
        return "It speaks another version of DICOM's protocol."
    if message.startswith("The received PDU is shorter"):
        return "It closed the connection within a message."
    return "Its message is not as DICOM has it."


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not accepted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        reason = error.reason or type(error).__name__
        return TLS.get(reason, f"TLS failed: {reason.replace('_', ' ').lower()}.")
    if isinstance(error, TimeoutError):
        return "It fell silent within a message."
    if isinstance(error, OSError):
        return f"{error.strerror}."
    places = {each.name for each in traceback.extract_tb(error.__traceback__)}
    titles = [reason for place, reason in TITLES.items() if place in places]
    return titles[0] if titles else f"Its message cannot be read ({type(error).__name__})."
