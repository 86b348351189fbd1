"""Events on their way into the audit: written in batches by a thread, so that nobody waits.

An event is on the disk within `FLUSH_SECONDS`, or at once where somebody waits for it: many that
wait share one write. If the disk does not take it, it is kept in memory and tried again; the state
says so.
"""

import hashlib
import hmac
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cxr_app.atomic_file import atomic_write
from cxr_app.audit.event import AuditEvent, AuditKind
from cxr_app.audit.store import AuditStore
from cxr_app.errors import AuditError
from cxr_app.radiograph import Header
from cxr_app.settings import Settings

logger = logging.getLogger(__name__)

KEY_FILE = "audit.key"
KEY_BYTES = 32
FLUSH_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0
"""How long `AuditLog.record_now` waits for the disk: senders of films must have an answer."""
BATCH = 5_000
MARK_DIGITS = 24
"""Length of a keyed hash: 96 bits."""
ISSUER_SEPARATOR = "^^^"
"""Between a Patient ID and its issuer, as HL7 writes them (data type CX)."""


class AuditLog:
    """The audit of a process.

    Parameters
    ----------
    folder
        Where the audit and its key are.
    in_clear
        Whether Patient IDs are recorded themselves, too.
    clock
        Returns the current time, aware.
    """

    def __init__(
        self,
        folder: Path,
        *,
        in_clear: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = AuditStore(folder)
        with self.store.locked():  # another process may be starting, too
            self._key = _key(folder)
        self._in_clear = in_clear
        self._clock = clock
        self._waiting: deque[AuditEvent] = deque()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._is_ending = False
        self._writing = threading.Lock()
        self._tried = threading.Condition()
        self._recorded = self._written = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Open the audit of an installation.

        Raises
        ------
        AuditError
            If its file or its key cannot be used.
        """
        return cls(settings.audit_folder, in_clear=settings.audit_patient_ids)

    def record(self, kind: AuditKind, header: Header | None = None, **facts: Any) -> None:
        """Record an event; this returns at once.

        Parameters
        ----------
        header
            Of the film that it concerns.
        facts
            Other fields of `AuditEvent`.
        """
        if header is not None:
            facts["patient"] = self.mark(header.patient_id, header.issuer_of_patient_id)
            if self._in_clear:
                facts["patient_id"] = header.patient_id
        with self._tried:
            self._waiting.append(AuditEvent(self._clock(), kind, **facts))
            self._recorded += 1
        self._wake.set()

    def record_now(self, kind: AuditKind, header: Header | None = None, **facts: Any) -> bool:
        """Record an event and wait until it is on the disk, at most `LONGEST_WAIT_SECONDS`.

        Parameters
        ----------
        header, facts
            As in `record`.

        Returns
        -------
        bool
            False if the disk does not take it now: it is kept in memory and tried again.
        """
        self.record(kind, header, **facts)
        if self.problem:
            return False
        with self._tried:
            number = self._recorded
            self._hurry.set()
            self._tried.wait_for(
                lambda: self._written >= number or bool(self.problem), LONGEST_WAIT_SECONDS
            )
            return self._written >= number

    def mark(self, patient_id: str, issuer: str = "") -> str:
        """Return the mark of a patient's identity; empty for none.

        It is the keyed hash of the Patient ID alone, by which an auditor finds it who knows no
        issuer; with an issuer, that of both follows behind a dot and tells apart whose ID it is.
        """
        if not patient_id:
            return ""
        alone = self._hash(patient_id)
        return f"{alone}.{self._hash(patient_id, issuer)}" if issuer else alone

    def search_mark(self, words: str) -> str:
        """Return the keyed hash of the words of a search, in any case."""
        return self._hash(words.strip().casefold(), "search")

    def sought_marks(self, written: str, issuers: Iterable[str]) -> frozenset[str]:
        """Return the marks under which a patient's events, and searches for the ID, were recorded.

        Parameters
        ----------
        written
            A Patient ID, alone or as `ID^^^ISSUER`.
        issuers
            Those that may have issued it: earlier versions recorded the hash of both alone.
        """
        patient_id, separator, issuer = written.rpartition(ISSUER_SEPARATOR)
        marks = {self.search_mark(written), self._hash(written)}
        marks |= {self._hash(written, each) for each in issuers}
        if patient_id and separator and issuer:
            marks |= {self.mark(patient_id, issuer), self._hash(patient_id, issuer)}
        return frozenset(marks)

    def _hash(self, patient_id: str, issuer: str = "") -> str:
        text = f"{patient_id}\0{issuer}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:MARK_DIGITS]

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        AuditError
            If the disk does not take it; it waits on.
        """
        with self._writing:
            while self._waiting:
                batch = [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]
                self.store.append(batch)
                with self._tried:
                    for _ in batch:
                        self._waiting.popleft()
                    self._written += len(batch)
                    self._tried.notify_all()
            self.problem = ""

    def close(self) -> None:
        """Write what waits and end."""
        self._is_ending = True
        self._hurry.set()
        self._wake.set()
        self._thread.join()
        self.store.close()

    def _run(self) -> None:
        while not self._is_ending:
            self._wake.wait()
            self._hurry.wait(FLUSH_SECONDS)
            self._wake.clear()
            self._hurry.clear()
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except AuditError as error:
            with self._tried:
                self.problem = str(error)
                self._tried.notify_all()
            logger.error("%s %d events wait in memory.", error, len(self._waiting))  # noqa: TRY400
            self._wake.set()


def _key(folder: Path) -> bytes:
    """Return the key of the marks; make it if there is none."""
    path = folder / KEY_FILE
    try:
        if not path.exists():
            atomic_write(path, secrets.token_hex(KEY_BYTES), private=True)
        return bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise AuditError(
            f"The audit's key {path} cannot be used. Restore it from a backup; without it, earlier "
            "marks of patients cannot be found again."
        ) from error
