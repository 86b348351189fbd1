"""Uploaded films are kept until the site's retention time ends; then a thread deletes them."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from cxr_app.atomic_file import PARTIAL, discard_partial
from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.worklist import now_in_utc

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
MANY = 10
"""So many films that cannot be deleted are no fault of theirs: the rest waits for an hour."""


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
    """

    def __init__(
        self, settings: Settings, worklist: Worklist, clock: Callable[[], datetime] = now_in_utc
    ) -> None:
        self._keep = timedelta(days=settings.retention_days)
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

    def sweep(self) -> int:
        """Delete the films that are due and their traces in the database; return how many.

        Raises
        ------
        WorklistError
            If the worklist cannot be read, or what it keeps of deleted values not be overwritten.
        """
        if not self._keep:
            return 0
        read_before = self._clock() - self._keep
        deleted = faults = 0
        for entry_id in self._worklist.deletions.due(self._films.root, read_before):
            if self._stop.is_set() or faults >= MANY:
                break
            try:
                deleted += self._worklist.deletions.delete(
                    entry_id, read_before, self._films.delete
                )
            except WorklistError as error:  # one film must not keep the others
                faults += 1
                logger.warning("A film whose retention time has ended is still there: %s", error)
        self._unscrubbed |= deleted > 0
        if self._unscrubbed and not self._stop.is_set():
            self._forget_decoded()
            self._unscrubbed = not self._worklist.deletions.scrub()
        return deleted

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
