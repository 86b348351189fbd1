"""Uploaded files on their way into the worklist, in a thread independent of the page."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a film arrived.

    Parameters
    ----------
    is_new
        False if the worklist already had it.
    batch
        Number of the upload in this session, counted from 1.
    """

    is_new: bool
    batch: int


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """Progress of an upload queue at one moment.

    Parameters
    ----------
    files
        Number of files sent so far.
    waiting
        Number of these that are not yet in the worklist.
    arrivals
        Arrivals of the others by entry id, in order.
    problem
        Why receiving has paused, and what to do; empty if it has not.
    """

    files: int
    waiting: int
    arrivals: Mapping[str, Arrival]
    problem: str


class UploadedFile(Protocol):
    """A file sent by the browser; its `name` cannot be trusted."""

    name: str

    def getvalue(self) -> bytes:
        """Return the content."""


class UploadQueue:
    """Saves files and adds them to the worklist, in a thread of its own.

    A page's script ends whenever the reader clicks; receiving films must not.

    Parameters
    ----------
    worklist, films, engine
        Where films are added and saved, and the engine to wake.
    """

    def __init__(self, worklist: Worklist, films: FilmStore, engine: ScoringEngine) -> None:
        self._worklist = worklist
        self._films = films
        self._engine = engine
        self._waiting: deque[tuple[int, UploadedFile]] = deque()
        self._batches = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._arrivals: dict[str, Arrival] = {}
        self._files = 0
        self._problem = ""

    def status(self) -> UploadStatus:
        """Return the progress as one snapshot, so that a page cannot miss the last arrival."""
        with self._lock:
            return UploadStatus(
                self._files, len(self._waiting), dict(self._arrivals), self._problem
            )

    def take(self, files: Iterable[UploadedFile]) -> None:
        """Add files to the queue; return at once."""
        with self._lock:
            self._batches += 1
            before = len(self._waiting)
            self._waiting.extend((self._batches, file) for file in files)
            self._files += len(self._waiting) - before
            self._start_thread()

    def retry(self) -> None:
        """Continue after a problem."""
        with self._lock:
            self._start_thread()

    def _start_thread(self) -> None:
        if self._thread is None and self._waiting:
            self._problem = ""
            self._thread = threading.Thread(target=self._receive_all, name="upload-queue")
            self._thread.start()

    def _receive_all(self) -> None:
        """Receive file by file; each leaves the queue once it is in the worklist."""
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return
                batch, file = self._waiting[0]
                entry_id, is_new = self._receive(file)
                with self._lock:
                    self._arrivals.setdefault(entry_id, Arrival(is_new, batch))
                    self._waiting.popleft()
        except WorklistError as error:
            logger.warning("Receiving paused: %s", error)
            with self._lock:
                self._problem = str(error)
                self._thread = None

    def _receive(self, file: UploadedFile) -> tuple[str, bool]:
        """Save the film before adding its entry, so that every entry has a film."""
        sha256 = self._films.keep(file.getvalue())
        entry_id, is_new = self._worklist.receive(sha256, file.name, self._films.path(sha256))
        if is_new and not self._films.has(sha256):  # deleted by retention in between
            self._films.keep(file.getvalue())
        self._engine.wake()
        return entry_id, is_new
