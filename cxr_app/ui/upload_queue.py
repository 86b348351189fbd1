"""Files on their way from the browser into the worklist, whatever the reader does meanwhile."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.scoring import ScoringEngine
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a film came.

    Parameters
    ----------
    is_new
        False where the worklist had it already.
    turn
        Which upload of this session it came with, counted from 1.
    """

    is_new: bool
    turn: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a reception is, all of it at one moment.

    Parameters
    ----------
    files
        Sent so far.
    waiting
        Of these, not yet in the worklist.
    arrivals
        The entries that the others became, by id, in their order.
    problem
        What keeps films from being received, and what to do; empty where nothing does.
    """

    files: int
    waiting: int
    arrivals: Mapping[str, Arrival]
    problem: str


class UploadedFile(Protocol):
    """A file that the browser has sent; `name` is whatever it says."""

    name: str

    def getvalue(self) -> bytes:
        """Give the content."""


class UploadQueue:
    """Keeps files and enters them in the worklist, in a thread of its own.

    A page's script ends whenever the reader clicks; the films that it was given must not.

    Parameters
    ----------
    worklist, films, engine
        Where films are entered and kept, and who is told.
    """

    def __init__(self, worklist: Worklist, films: FilmStore, engine: ScoringEngine) -> None:
        self._worklist = worklist
        self._films = films
        self._engine = engine
        self._waiting: deque[tuple[int, UploadedFile]] = deque()
        self._turns = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._arrivals: dict[str, Arrival] = {}
        self._files = 0
        self._problem = ""

    def standing(self) -> Standing:
        """Say how far everything is; asked piece by piece, a page could miss the last arrival."""
        with self._lock:
            return Standing(self._files, len(self._waiting), dict(self._arrivals), self._problem)

    def take(self, files: Iterable[UploadedFile]) -> None:
        """Take files over; returns at once."""
        with self._lock:
            self._turns += 1
            before = len(self._waiting)
            self._waiting.extend((self._turns, file) for file in files)
            self._files += len(self._waiting) - before
            self._go_on()

    def retry(self) -> None:
        """Go on after a problem."""
        with self._lock:
            self._go_on()

    def _go_on(self) -> None:
        if self._thread is None and self._waiting:
            self._problem = ""
            self._thread = threading.Thread(target=self._receive_all, name="reception")
            self._thread.start()

    def _receive_all(self) -> None:
        """Receive file by file; a file leaves the queue once it is in the worklist."""
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return
                turn, file = self._waiting[0]
                entry_id, is_new = self._receive(file)
                with self._lock:
                    self._arrivals.setdefault(entry_id, Arrival(is_new, turn))
                    self._waiting.popleft()
        except WorklistError as error:
            logger.warning("Receiving pauses: %s", error)
            with self._lock:
                self._problem = str(error)
                self._thread = None

    def _receive(self, file: UploadedFile) -> tuple[str, bool]:
        """Keep first, enter second: an entry always has its film."""
        sha256 = self._films.keep(file.getvalue())
        entry_id, is_new = self._worklist.receive(sha256, file.name, self._films.path(sha256))
        if is_new and not self._films.has(sha256):  # its retention time ended in between
            self._films.keep(file.getvalue())
        self._engine.wake()
        return entry_id, is_new
