"""Fetches earlier films for flagged ones: `python -m cxr_app.pacs.prefetcher`, run by the app.

A film that is read, or superseded by a newer one of its patient, is not asked for. What an archive
does not answer is asked for again a few times; then a person can look by hand.
"""

import logging
import sys
import threading
from contextlib import closing
from datetime import timedelta

from cxr_app import log_privacy
from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.errors import PacsError, SettingsError, WorklistError
from cxr_app.jobs.companion_program import run_until_stopped
from cxr_app.operations.opening import open_worklist
from cxr_app.pacs.archive_lookup import ArchiveLookup, LookupStatus, earlier_films_query
from cxr_app.settings import Settings
from cxr_app.worklist import Entry, Prefetch, Worklist

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
POLL_SECONDS = 0.1
OLDEST = timedelta(days=1)
"""Films that were flagged longer ago are not asked for."""
SUPERSEDED = "The patient has a newer film."
NO_HEADER = "The film does not say whose it is."
WHO = "prefetch"
"""Name recorded in place of a person's: nobody asks."""


class Prefetcher:
    """Asks the archive for the earlier films of one flagged film after another, in one thread.

    Parameters
    ----------
    settings
        The archive's address, and this program's title.
    worklist
        Whose films.
    audit
        Where each look is recorded; None for nowhere.
    """

    def __init__(
        self, settings: Settings, worklist: Worklist, audit: AuditLog | None = None
    ) -> None:
        self._settings = settings
        self._worklist = worklist
        self._queue = worklist.prefetches
        self._audit = audit

    def run(self, stop: threading.Event) -> None:
        """Fetch until stopped; no fault of the archive, a film or the database ends this."""
        while not stop.is_set():
            try:
                is_busy = self.fetch_once(stop)
            except WorklistError as error:
                logger.warning("Fetching ahead pauses: %s", error)
                is_busy = False
            except Exception as error:  # noqa: BLE001 - whatever it is
                logger.error("Fetching ahead met a fault:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
                is_busy = False
            if not is_busy:
                stop.wait(IDLE_SECONDS)

    def fetch_once(self, stop: threading.Event | None = None) -> bool:
        """Ask for the films of the film that is due longest; return whether there was one.

        Raises
        ------
        WorklistError
            If the worklist cannot be read or changed.
        """
        self._queue.fill(OLDEST)
        prefetch = self._queue.claim()
        if prefetch is None:
            return False
        found = self._worklist.entries_by_ids([prefetch.entry_id])
        objection = self._objection(found)
        if objection:
            self._queue.skip(prefetch, objection)
        else:
            self._fetch(prefetch, found[0], stop or threading.Event())
        return True

    def _objection(self, found: list[Entry]) -> str:
        """Return why there is nothing to ask for; empty if there is."""
        if not found or found[0].header is None:
            return NO_HEADER
        if self._worklist.newer_films(found):
            return SUPERSEDED
        try:
            earlier_films_query(found[0].header)
        except PacsError as error:
            return str(error)
        return ""

    def _fetch(self, prefetch: Prefetch, entry: Entry, stop: threading.Event) -> None:
        if entry.header is None:
            return
        lookup = ArchiveLookup(self._settings, self._worklist, entry.header, entry.id)
        lookup.start()
        while lookup.status().is_active:
            if stop.wait(POLL_SECONDS):
                lookup.cancel()
                lookup.wait()
        status = lookup.status()
        self._note(entry, status)
        if status.state == "done":
            self._queue.done(prefetch, prefetch.films + status.fetched, status.message)
        elif status.state == "cancelled":
            self._queue.release(prefetch)
        else:
            self._queue.fail(prefetch, status.fetched, status.message)

    def _note(self, entry: Entry, status: LookupStatus) -> None:
        if self._audit is not None:
            self._audit.record_now(
                AuditKind.FETCHED,
                entry.header,
                who=WHO,
                film=entry.id,
                outcome=AuditOutcome.FAILED if status.state == "failed" else AuditOutcome.DONE,
                detail=f"{status.fetched} of {status.wanted} earlier films: {status.state}",
            )


def main(arguments: list[str] | None = None) -> int:
    """Fetch ahead until told to stop; return 0, 2 for wrong settings, else 1."""
    return run_until_stopped(
        fetch_ahead,
        module="cxr_app.pacs.prefetcher",
        purpose="Fetch the earlier films of flagged ones from the archive CXR_FILMS_FROM.",
        arguments=arguments,
    )


def fetch_ahead(settings: Settings, stop: threading.Event) -> None:
    """Fetch ahead until `stop` is set."""
    if settings.film_archive is None:
        raise SettingsError("Films cannot be fetched ahead: CXR_FILMS_FROM names no archive.")
    with closing(open_worklist(settings)) as worklist, closing(AuditLog.of(settings)) as audit:
        Prefetcher(settings, worklist, audit).run(stop)


if __name__ == "__main__":
    sys.exit(main())
