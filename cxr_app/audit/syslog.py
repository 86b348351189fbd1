"""The audit on its way to a syslog server over TLS (RFC 5425): each event at least once.

The audit on disk is the queue, and a file beside it says how far it was sent. Syslog acknowledges
nothing; here a batch counts as received once the server has closed the connection after ours was,
for it then has read everything. Until then the batch is sent again, and the number of an event
tells a repetition.
"""

import logging
import os
import socket
import ssl
import threading

from cxr_app.atomic_file import atomic_write
from cxr_app.audit.message import as_syslog
from cxr_app.audit.store import AuditStore
from cxr_app.audit_settings import AuditSettings
from cxr_app.errors import AuditError, SettingsError

logger = logging.getLogger(__name__)

POSITION = "syslog.position"
BATCH = 1_000
PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
TIMEOUT_SECONDS = 20.0


class SyslogSender:
    """Sends the events of an audit, in order, in a thread of its own.

    Parameters
    ----------
    store
        The audit.
    settings
        Which server, and its certificates.
    """

    def __init__(self, store: AuditStore, settings: AuditSettings) -> None:
        self._store = store
        self._settings = settings
        self._position = store.path.with_name(POSITION)
        self._source = socket.gethostname()
        self._stop = threading.Event()
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)

    def start(self) -> None:
        """Start to send if there is a server."""
        if self._settings.syslog_server:
            self._thread.start()

    def stop(self) -> None:
        """End; what was not sent is sent after the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def waiting(self) -> int:
        """Return how many events wait to be sent."""
        return self._store.head()[0] - self._sent()

    def send_batch(self) -> int:
        """Send the next events; return how many the server has received.

        Raises
        ------
        AuditError
            If it cannot be reached or does not take them; they are sent again.
        """
        records = self._store.after(self._sent(), BATCH)
        if records:
            self._send(b"".join(as_syslog(record, self._source) for record in records))
            self._note(records[-1].number)
        return len(records)

    def _send(self, frames: bytes) -> None:
        server = self._settings.syslog_server
        if server is None:
            raise AuditError("No syslog server is named. Set CXR_AUDIT_SYSLOG.")
        try:
            with (
                socket.create_connection(server, timeout=TIMEOUT_SECONDS) as plain,
                syslog_context(self._settings).wrap_socket(
                    plain, server_hostname=server[0]
                ) as secure,
            ):
                secure.sendall(frames)
                _close(secure)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise AuditError(
                f"The syslog server {server[0]}:{server[1]} does not take the audit: {reason}. "
                "Events wait on the disk and are sent again."
            ) from error

    def _sent(self) -> int:
        try:
            return int(self._position.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def _note(self, number: int) -> None:
        try:
            atomic_write(self._position, str(number), private=True)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise AuditError(f"{self._position} cannot be written: {reason}.") from error

    def _run(self) -> None:
        pause = PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                sent = self.send_batch()
                self.problem, pause = "", PAUSE_SECONDS
            except AuditError as error:
                if str(error) != self.problem:
                    logger.warning("%s", error)
                self.problem, sent = str(error), 0
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            if sent < BATCH:
                self._stop.wait(pause)


def check_syslog_server(settings: AuditSettings) -> None:
    """Check that certificates for a syslog server are not named without a server.

    Raises
    ------
    SettingsError
        If they are: whoever has set them expects the audit there.
    """
    for name in ("audit_syslog_authority", "audit_syslog_certificate"):
        if getattr(settings, name) is not None and settings.syslog_server is None:
            raise SettingsError(
                f"CXR_{name.upper()} is set and CXR_AUDIT_SYSLOG is not: the audit would be sent "
                "nowhere. Set it, or unset them."
            )


def syslog_context(settings: AuditSettings) -> ssl.SSLContext:
    """Return the TLS context for the syslog server.

    Raises
    ------
    OSError
        If a file of the settings cannot be used.
    """
    context = ssl.create_default_context(cafile=settings.audit_syslog_authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if (own := settings.audit_syslog_certificate) is not None:
        context.load_cert_chain(own)
    return context


def _close(secure: ssl.SSLSocket) -> None:
    """Close our side and wait until the server has read everything and closes its own.

    A server that ends the connection without the alert of TLS has read everything too; one that
    resets it has not.
    """
    try:
        secure.unwrap()
    except ssl.SSLEOFError:
        return
