"""What each peer has sent, counted in memory and reported to the worklist every few seconds."""

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime

from cxr_app.errors import WorklistError
from cxr_app.pacs.reception import Arrived
from cxr_app.worklist import PeerCounts, Worklist

logger = logging.getLogger(__name__)

REPORT_SECONDS = 2.0
MAX_UNREPORTED = 1000
"""Number of peers counted between two reports; of more, the others are not counted."""
_COUNTED_AS = {
    Arrived.NEW: "films",
    Arrived.KNOWN: "repeated",
    Arrived.OWN_RESULT: "own_results",
}

PeerName = tuple[str, str]
"""AE title and address."""


class PeerCounter:
    """Counts what peers send; a thread of its own reports it. Safe for many threads.

    Counts of the last seconds are lost if the process is killed; films are not.

    Parameters
    ----------
    worklist
        Whose peers they are.
    """

    def __init__(self, worklist: Worklist) -> None:
        self._worklist = worklist
        self._news: dict[PeerName, PeerCounts] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peer-counter", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Report the last counts and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.report()

    def seen(self, peer: PeerName) -> None:
        """Count a peer that has called."""
        self._update(peer)

    def arrived(self, peer: PeerName, arrived: Arrived) -> None:
        """Count an object that was received."""
        self._update(peer, _COUNTED_AS[arrived])

    def refused(self, peer: PeerName, reason: str) -> None:
        """Count an object or an association that was refused."""
        self._update(peer, "refused", reason)

    def report(self) -> None:
        """Report what has been counted; keep it if the worklist cannot be written."""
        with self._lock:
            news, self._news = self._news, {}
        if not news:
            return
        try:
            self._worklist.peers.report(news)
        except WorklistError as error:
            logger.warning("What peers have sent is reported later: %s", error)
            with self._lock:
                self._news = news | self._news

    def _update(self, peer: PeerName, name: str = "", reason: str = "") -> None:
        now = datetime.now(UTC)
        with self._lock:
            counts = self._news.get(peer, PeerCounts())
            if peer not in self._news and len(self._news) >= MAX_UNREPORTED:
                return
            if name:
                counts = replace(counts, **{name: getattr(counts, name) + 1})
            if name == "films":
                counts = replace(counts, film_at=now)
            if reason:
                counts = replace(counts, refused_at=now, refusal=reason)
            self._news[peer] = replace(counts, seen_at=now)

    def _run(self) -> None:
        while not self._stop.wait(REPORT_SECONDS):
            self.report()
