"""Sends results to archives: `python -m cxr_app.pacs.sender`, which the app starts and watches.

The outbox is in the worklist's database, so nothing is lost if this process or the server ends.
"""

import logging
import math
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta

from pydicom import Dataset

from cxr_app import log_privacy
from cxr_app.audit.log import AuditLog
from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError, CxrError, SettingsError, ShortageError, WorklistError
from cxr_app.jobs.companion_program import run_until_stopped
from cxr_app.operations.opening import open_worklist
from cxr_app.pacs.archive import Archive
from cxr_app.pacs.destinations import archive_at, destinations_of
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.objects import FilmResults, FilmVerdict, results_of
from cxr_app.pacs.sent_events import noted_sending
from cxr_app.pacs.web_archive import WebArchive
from cxr_app.settings import Settings
from cxr_app.worklist import Outgoing, Worklist

logger = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
"""Pause after an archive could not be reached, doubled each time up to the longest."""

OVERLAP = timedelta(minutes=10)
"""How far back changes are looked for: other servers' clocks, and transactions that took long."""

FILM_SECONDS = 120.0
"""Longest time after a claim in which an object is begun; that one ends while the claim holds."""

SWEEP_SECONDS = 60.0
LEFT_FOR_LATER = "The archive had ended the connection or was too slow before this one."
UNEXPECTED = "The program failed on this film; the time is in its log."


class Sender:
    """Sends what the outbox has for one archive, in one thread.

    Parameters
    ----------
    settings
        Its title, and when results are sent.
    worklist
        Whose results are sent.
    destination
        The archive.
    audit
        Where each object is recorded; None records them in the outbox alone.
    """

    def __init__(
        self,
        settings: Settings,
        worklist: Worklist,
        destination: Destination,
        audit: AuditLog | None = None,
    ) -> None:
        self._settings = settings
        self._audit = audit
        self._worklist = worklist
        self._outbox = worklist.outbox
        self._destination = destination
        self._installation = Installation.of(worklist, settings.ae_title)
        self._looked_at = self._outbox.open(destination)
        self._give_up_after = timedelta(hours=settings.results_give_up_hours)
        self._pause = 0.0
        self._away = timedelta()
        self._swept = self._claimed_at = -math.inf

    def run(self, stop: threading.Event) -> None:
        """Send until stopped; no fault of an archive, a film or the database ends this."""
        while not stop.is_set():
            try:
                is_busy = self.send_once(stop)
            except WorklistError as error:
                logger.warning("Sending results pauses: %s", error)
                is_busy = False
            except Exception as error:  # noqa: BLE001 - whatever it is
                logger.error("Sending met a fault:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
                is_busy = False
            if not is_busy:
                stop.wait(max(IDLE_SECONDS, self._pause))

    def send_once(self, stop: threading.Event | None = None) -> bool:
        """Fill the outbox and send what is due; return whether anything was sent.

        Raises
        ------
        WorklistError
            If the worklist cannot be read or changed.
        """
        self._fill()
        claimed = self._claim()
        if not claimed:
            return False
        try:
            with archive_at(self._destination, self._settings) as archive:
                self._reached()
                while claimed:
                    self._send_film(archive, claimed)
                    is_over = not archive.is_open or (stop is not None and stop.is_set())
                    claimed = [] if is_over else self._claim()
                return archive.is_open
        except ArchiveError as error:
            for outgoing in claimed:
                self._outbox.postpone(outgoing, str(error))
            self._unreachable(str(error))
            return False

    def _fill(self) -> None:
        """Look for new results and those that a killed sender left."""
        now = self._outbox.now()
        if now < self._looked_at:  # the clock was ahead for a time: what came since is earlier
            self._looked_at = self._outbox.open(self._destination)
        while self._outbox.fill(
            self._destination,
            self._looked_at,
            after_reading=self._settings.results_after_reading,
        ):
            pass
        self._looked_at = max(self._looked_at, now - OVERLAP)
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            self._outbox.release_abandoned(self._destination.name)

    def _claim(self) -> list[Outgoing]:
        self._claimed_at = time.monotonic()
        return self._outbox.claim(
            self._destination.name, after_reading=self._settings.results_after_reading
        )

    def _send_film(self, archive: Archive | WebArchive, claimed: list[Outgoing]) -> None:
        """Send the objects of one film; each has its own outcome."""
        results: FilmResults | FilmVerdict | None = None
        for outgoing in claimed:
            if not archive.is_open or time.monotonic() - self._claimed_at > FILM_SECONDS:
                self._outbox.postpone(outgoing, LEFT_FOR_LATER)
                continue
            try:
                results = results or results_of(self._worklist, self._installation, outgoing)
                built = results.build(outgoing.kind)
                if built is None:
                    self._outbox.skip(outgoing, results.why_nothing)
                else:
                    remark = self._store(archive, outgoing, built)
                    self._outbox.sent(outgoing, remark)
            except WorklistError:
                raise
            except (CxrError, MemoryError) as error:
                self._outbox.fail(outgoing, _problem(error), self._give_up_after)
            except Exception as error:  # noqa: BLE001 - one film must not hold up the others
                logger.error("A result failed:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
                self._outbox.fail(outgoing, UNEXPECTED, self._give_up_after)

    def _store(self, archive: Archive | WebArchive, outgoing: Outgoing, built: Dataset) -> str:
        """Send an object and note it in the audit; return what the archive remarks."""
        found = self._worklist.entries_by_ids([outgoing.entry_id])
        header = found[0].header if found else None
        with noted_sending(self._audit, header, outgoing, self._destination):
            return archive.store(built)

    def _reached(self) -> None:
        self._pause, self._away = 0.0, timedelta()
        self._outbox.reached(self._destination.name)

    def _unreachable(self, problem: str) -> None:
        """Wait longer each time; give up what waits once the archive has been away for too long.

        It has been away for the pauses between calls without success, whatever clocks say.
        """
        self._away += timedelta(seconds=self._pause)
        if self._away >= self._give_up_after:
            self._outbox.give_up(
                self._destination.name,
                self._give_up_after,
                after_reading=self._settings.results_after_reading,
            )
        doubled = max(FIRST_PAUSE_SECONDS, 2 * self._pause)
        self._pause = min(doubled, LONGEST_PAUSE_SECONDS)
        self._outbox.unreachable(self._destination.name, problem)


def send_all(
    settings: Settings, worklist: Worklist, stop: threading.Event, audit: AuditLog | None = None
) -> None:
    """Send to every archive until stopped, each in a thread of its own, as they come and go."""
    running: dict[Destination, tuple[threading.Thread, threading.Event]] = {}
    while not stop.is_set():
        try:
            wanted = destinations_of(settings, worklist)
            for destination in running.keys() - set(wanted):
                _end(*running.pop(destination))
                worklist.destinations.withdraw(destination.name)
            for destination in wanted:
                if destination not in running:
                    sender = Sender(settings, worklist, destination, audit)
                    running[destination] = _begin(sender, destination)
        except WorklistError as error:
            logger.warning("The archives cannot be read: %s", error)
        stop.wait(IDLE_SECONDS)
    for _, ended in running.values():
        ended.set()
    for thread, _ in running.values():
        thread.join()


def _begin(sender: Sender, destination: Destination) -> tuple[threading.Thread, threading.Event]:
    ended = threading.Event()
    thread = threading.Thread(target=sender.run, args=(ended,), name=f"send-{destination.name}")
    thread.start()
    return thread, ended


def _end(thread: threading.Thread, ended: threading.Event) -> None:
    ended.set()
    thread.join()


def _problem(error: CxrError | MemoryError) -> str:
    is_short = isinstance(error, MemoryError | ShortageError)
    return "This computer was short of memory." if is_short else str(error)


def main(arguments: list[str] | None = None) -> int:
    """Send results until told to stop; return 0, 2 for wrong settings, else 1."""
    return run_until_stopped(
        send,
        module="cxr_app.pacs.sender",
        purpose="Send results to the archives that CXR_RESULTS_TO or the Connections page names.",
        arguments=arguments,
    )


def send(settings: Settings, stop: threading.Event) -> None:
    """Send results until `stop` is set."""
    with closing(open_worklist(settings)) as worklist, closing(AuditLog.of(settings)) as audit:
        if not destinations_of(settings, worklist):
            raise SettingsError(
                "Results cannot be sent: neither CXR_RESULTS_TO nor the Connections page names an "
                "archive."
            )
        send_all(settings, worklist, stop, audit)


if __name__ == "__main__":
    sys.exit(main())
