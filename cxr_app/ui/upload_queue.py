"""Uploaded files on their way into the worklist, in a thread independent of the page."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from cxr_app import log_privacy
from cxr_app.errors import CxrError, FilmError, WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.imaging.disc import DIRECTORY_NAME, DiscContents, disc_contents, disc_path
from cxr_app.imaging.passed_over import SNIFFED_BYTES, is_passed_over
from cxr_app.imaging.zip_archive import Member, is_zip, members
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.scoring_process import ScoringProcess
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
"""Pause after a problem, doubled after each further one in a row up to the longest."""
LOOK_SECONDS = 0.5


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
    passed_over
        Names of files that are no films of any kind, and were not added.
    missing
        Paths of images that a disc lists and that were not among its files.
    repeated
        Names of files whose film had arrived in another file.
    lost
        Names of files that the server no longer had.
    """

    files: int
    waiting: int
    arrivals: Mapping[str, Arrival]
    problem: str
    passed_over: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class UploadedFile(Protocol):
    """A file sent by the browser; its `name` cannot be trusted."""

    name: str

    def getvalue(self) -> bytes:
        """Return the content."""


@runtime_checkable
class Discardable(Protocol):
    """A file that is to be deleted once it is in the worklist."""

    def discard(self) -> None:
        """Delete the file."""


class UploadQueue:
    """Saves files and adds them to the worklist, in a thread of its own.

    A page's script ends whenever the reader clicks; receiving films must not.

    Parameters
    ----------
    worklist, films, engine
        Where films are added and saved, and the engine to wake.
    """

    def __init__(self, worklist: Worklist, films: FilmStore, engine: ScoringProcess) -> None:
        self._reception = Reception(films, worklist)
        self._engine = engine
        self._waiting: deque[tuple[int, UploadedFile]] = deque()
        self._batches = 0
        self._lock = threading.Lock()
        self._again = threading.Event()
        self._thread: threading.Thread | None = None
        self._arrivals: dict[str, Arrival] = {}
        self._files = 0
        self._problem = ""
        self._pause_seconds = PAUSE_SECONDS
        self._logged = ""
        self._discs: dict[int, DiscContents] = {}  # by batch
        self._passed_over: dict[str, None] = {}  # in order, each once
        self._missing: dict[str, None] = {}
        self._repeated: list[str] = []
        self._lost: list[str] = []

    def status(self) -> UploadStatus:
        """Return the progress as one snapshot, so that a page cannot miss the last arrival."""
        with self._lock:
            return UploadStatus(
                self._files,
                len(self._waiting),
                dict(self._arrivals),
                self._problem,
                tuple(self._passed_over),
                tuple(self._missing),
                tuple(self._repeated),
                tuple(self._lost),
            )

    def take(self, files: Iterable[UploadedFile]) -> None:
        """Add files to the queue; return at once."""
        with self._lock:
            self._batches += 1
            files = list(files)
            if (contents := _disc_of(files)) is not None:
                self._discs[self._batches] = contents
                self._missing.update(dict.fromkeys(_missing(contents, files)))
            before = len(self._waiting)
            self._waiting.extend((self._batches, file) for file in files)
            self._files += len(self._waiting) - before
            self._start_thread()

    def retry(self) -> None:
        """Try again at once after a problem."""
        with self._lock:
            self._problem = ""
        self._again.set()

    def _start_thread(self) -> None:
        if self._thread is None and self._waiting:
            self._thread = threading.Thread(target=self._receive_all, name="upload-queue")
            self._thread.start()

    def _receive_all(self) -> None:
        """Receive file by file until none waits; the window may be closed meanwhile."""
        while self._receive_next():
            pass

    def _receive_next(self) -> bool:
        """Receive a file, which leaves the queue once it is in the worklist.

        Returns
        -------
        bool
            Whether to go on.
        """
        with self._lock:
            if not self._waiting:
                self._thread = None
                return False
            batch, file = self._waiting[0]
        try:
            films = self._films_of(file, self._discs.get(batch))
            arrived = [(film.name, each) for film in films for each in self._receive(film)]
        except Exception as error:  # noqa: BLE001 - whatever it is
            return self._pause(error)
        with self._lock:
            for name, (entry_id, is_new) in arrived:
                if entry_id in self._arrivals:
                    self._repeated.append(name)
                self._arrivals.setdefault(entry_id, Arrival(is_new, batch))
            self._waiting.popleft()
            self._problem = self._logged = ""
        self._pause_seconds = PAUSE_SECONDS
        if isinstance(file, Discardable):
            file.discard()
        return True

    def _pause(self, error: Exception) -> bool:
        """Say why a file waits, and wait; return whether to go on."""
        problem = _problem_of(error)
        with self._lock:
            self._problem = problem
            if not isinstance(error, WorklistError):
                self._waiting.rotate(-1)  # the others do not wait for it
        self._log(problem, error)
        deadline = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        while not self._again.wait(LOOK_SECONDS) and time.monotonic() < deadline:
            if not threading.main_thread().is_alive():  # the server ends
                return False
        self._again.clear()
        return True

    def _log(self, problem: str, error: Exception) -> None:
        """Log why a file waits, unless the line before says so."""
        fault = "" if isinstance(error, CxrError) else log_privacy.fault_report(error)
        if (told := f"{problem}\n{fault}") == self._logged:
            return
        self._logged = told
        if fault:
            logger.error("Receiving an upload met a fault:\n%s", fault)
        logger.warning("Receiving paused: %s", problem)

    def _films_of(self, file: UploadedFile, disc: DiscContents | None) -> Iterator[UploadedFile]:
        """Yield a film, the films of a zip archive, or nothing for a file that is no film.

        An archive that cannot be unpacked is yielded itself: its entry says why.
        """
        try:
            content = file.getvalue()
        except FileNotFoundError:  # waiting for it would never end
            self._lose(file.name)
            return
        head = content[:SNIFFED_BYTES]
        is_film = disc.has_film(_listed(file.name, disc), head) if disc is not None else None
        if is_film is False or (is_film is None and is_passed_over(file.name, head)):
            self._pass_over(file.name)
            return
        if not is_zip(content):
            yield file
            return
        try:
            for member in members(content):
                name = f"{file.name}/{member.name}"
                if is_passed_over(name, member.content[:SNIFFED_BYTES]):
                    self._pass_over(name)
                else:
                    yield Member(name, member.content)
        except FilmError:
            yield file

    def _pass_over(self, name: str) -> None:
        with self._lock:
            self._passed_over[name] = None

    def _lose(self, name: str) -> None:
        with self._lock:
            self._lost.append(name)

    def _receive(self, file: UploadedFile) -> Iterator[tuple[str, bool]]:
        """Receive a film; a result of this program is no film."""
        receipt = self._reception.receive(file.getvalue(), file.name)
        if receipt.arrived is Arrived.OWN_RESULT:
            self._pass_over(file.name)
            return
        self._engine.wake()
        yield receipt.entry_id, receipt.arrived is Arrived.NEW


def _problem_of(error: Exception) -> str:
    """Return why a file could not be received, and what happens next."""
    if isinstance(error, CxrError):
        return str(error)
    if isinstance(error, OSError | MemoryError):
        return (
            "The server could not read an uploaded file. Whoever runs the server should check its "
            "disk and memory; it is tried again."
        )
    return "The program failed on an uploaded file; see the log of the server. It is tried again."


def _path(name: str) -> PurePosixPath:
    return disc_path(PurePosixPath(name.replace("\\", "/")))


def _disc_of(files: Iterable[UploadedFile]) -> DiscContents | None:
    """Return what the DICOMDIR among files lists; None if there is none."""
    found = next((file for file in files if _path(file.name).name == DIRECTORY_NAME), None)
    return None if found is None else disc_contents(found.getvalue())


def _missing(disc: DiscContents, files: Iterable[UploadedFile]) -> list[str]:
    """Return the images of a disc that are not among files."""
    paths = [_path(file.name) for file in files]
    if all(len(path.parts) == 1 for path in paths):  # a browser may leave out the folders
        left = Counter(path.name for path in paths)
        missing = []
        for image in sorted(disc.images):
            if left[image.name] <= 0:
                missing.append(str(image))
            left[image.name] -= 1
        return missing
    present = {_listed(file.name, disc) for file in files}
    return [str(image) for image in sorted(disc.images - present)]


def _listed(name: str, disc: DiscContents) -> PurePosixPath:
    """Return the path under which a disc lists a file; a browser may leave out its folders."""
    path = _path(name)
    ends = [PurePosixPath(*path.parts[start:]) for start in range(len(path.parts))]
    listed = disc.images | disc.others
    short = {each.name: each for each in listed} if len(path.parts) == 1 else {}
    return next((end for end in ends if end in listed), short.get(path.name, path))
