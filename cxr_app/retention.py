"""Uploaded films are kept until the site's retention time ends; then a thread deletes them.

A wrong clock must not delete films. A sweep marks the films that are due, and a film is deleted a
day after it was marked, if it is still due. One sweep deletes no more than a set share of all
films. If the clock has jumped by more than a day since the last sweep, none is marked or deleted
until a person confirms the clock.
"""

import logging
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cxr_app.atomic_file import PARTIAL, discard_partial
from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.deletions import RETENTION
from cxr_app.worklist.worklist import now_in_utc

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
LONGEST_JUMP = timedelta(days=1)
"""How far the clock may be from the last sweep's time before a person must confirm it."""
MARKED_FOR = timedelta(days=1)
"""How long a film is marked before it is deleted."""
MANY = 10
"""So many films that cannot be deleted are no fault of theirs: the rest waits for an hour."""


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """What retention is doing.

    Parameters
    ----------
    last_sweep
        Aware, UTC; None if there was none and no film has been read yet.
    now
        What the server's clock shows, aware, UTC.
    marked
        Number of films that are marked for deletion.
    """

    last_sweep: datetime | None
    now: datetime
    marked: int

    @property
    def has_stopped(self) -> bool:
        """Whether the clock has jumped, so that nothing is deleted until a person confirms it."""
        return self.last_sweep is not None and abs(self.now - self.last_sweep) > LONGEST_JUMP


class Retention:
    """Deletes uploaded films that were read longer ago than the site keeps them.

    Never one that is unread, and never a file outside the film store. What one sweep cannot
    delete, the next one tries again.

    Parameters
    ----------
    settings
        How long films are kept, and where.
    worklist
        Which films were read, and where deletions are recorded.
    clock
        Tells the time, aware.
    audit
        Records deletions; None records them in the worklist alone.
    """

    def __init__(
        self,
        settings: Settings,
        worklist: Worklist,
        clock: Callable[[], datetime] = now_in_utc,
        audit: AuditLog | None = None,
    ) -> None:
        self._audit = audit
        self._keep = timedelta(days=settings.retention_days)
        self._share = settings.retention_share
        self._worklist = worklist
        self._films = FilmStore(settings.films_dir)
        self._decoded = settings.cache_dir
        self._clock = clock
        self._unscrubbed = True  # a server that was killed may have left something
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Sweep now and every hour, where the site has a retention time at all."""
        if self._keep:
            self._thread.start()

    def stop(self) -> None:
        """Finish the film in hand and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> RetentionStatus | None:
        """Return what retention is doing; None where films are kept for ever.

        Raises
        ------
        WorklistError
            If the worklist cannot be read.
        """
        if not self._keep:
            return None
        deletions = self._worklist.deletions
        return RetentionStatus(deletions.sweeps.last(), self._clock(), deletions.marked())

    def confirm_clock(self, confirmed_by: str) -> None:
        """Record that a person has found the server's clock right; the next sweep goes on.

        Raises
        ------
        WorklistError
            If the worklist cannot be written.
        """
        self._worklist.deletions.sweeps.record(confirmed_by)

    def sweep(self) -> int:
        """Mark films that are due, and delete those marked a day ago; return how many.

        Their traces in the database are deleted with them.

        Raises
        ------
        WorklistError
            If the worklist cannot be read, or what it keeps of deleted values not be overwritten.
        """
        status = self.status()
        if status is None:
            return 0
        if status.has_stopped:
            logger.warning(
                "No film is deleted: the clock shows %s, and the last sweep was at %s. "
                "Check the clock, then confirm it on the Backlog page.",
                *(f"{each:%Y-%m-%d %H:%M} UTC" for each in (status.now, status.last_sweep) if each),
            )
            self._note(AuditKind.SWEPT, outcome=AuditOutcome.REFUSED, detail="the clock has jumped")
            return 0
        read_before = status.now - self._keep
        deleted = self._delete_ripe(read_before, status.now - MARKED_FOR)
        if marked := self._worklist.deletions.mark(self._films.root, read_before):
            logger.info("Films marked, to be deleted in a day: %d", marked)
        self._worklist.deletions.sweeps.record()
        self._note(AuditKind.SWEPT, detail=f"{deleted} deleted, {marked} marked")
        self._unscrubbed |= deleted > 0
        if self._unscrubbed and not self._stop.is_set():
            self._forget_decoded()
            self._unscrubbed = not self._worklist.deletions.scrub()
        return deleted

    def _delete_ripe(self, read_before: datetime, marked_before: datetime) -> int:
        """Delete films that are due and were marked long enough ago, up to the site's share."""
        deletions = self._worklist.deletions
        ripe = deletions.ripe(self._films.root, read_before, marked_before)
        most = math.ceil(self._share * deletions.kept(self._films.root)) if ripe else 0
        if len(ripe) > most:
            logger.warning(
                "Films to delete: %d; one sweep deletes %d at most, the others wait for the next.",
                *(len(ripe), most),
            )
        deleted = faults = 0
        for entry_id in ripe:
            if self._stop.is_set() or deleted >= most or faults >= MANY:
                break
            try:
                header = next((e.header for e in self._worklist.entries_by_ids([entry_id])), None)
                if deletions.delete(entry_id, read_before, self._films.delete):
                    deleted += 1
                    self._note(AuditKind.DELETED, header, film=entry_id)
            except WorklistError as error:  # one film must not keep the others
                faults += 1
                logger.warning("A film whose retention time has ended is still there: %s", error)
        return deleted

    def _note(self, kind: AuditKind, header: Header | None = None, **facts: Any) -> None:
        if self._audit is not None:
            self._audit.record_now(kind, header, who=RETENTION, **facts)

    def _forget_decoded(self) -> None:
        """Delete the films that training has decoded: no name shows whose films a file holds."""
        for path in self._decoded.glob("*.npy"):
            with suppress(OSError):
                path.unlink()
        discard_partial(self._decoded.glob(f"*{PARTIAL}"))

    def _run(self) -> None:
        """Sweep until stopped."""
        if discarded := self._films.discard_partial():
            logger.warning("Half-written films of a killed server deleted: %d", discarded)
        while not self._stop.is_set():
            try:
                if deleted := self.sweep():
                    logger.info("Films deleted since their retention time has ended: %d", deleted)
            except WorklistError as error:
                logger.warning("Films whose retention time has ended wait for an hour: %s", error)
            self._stop.wait(SWEEP_SECONDS)
