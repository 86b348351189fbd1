"""The films of a folder: found at any depth by their content, or watched as they arrive."""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cxr_app.imaging.disc import DIRECTORY_NAME, DiscContents, disc_contents, disc_path
from cxr_app.imaging.formats import FILM_SUFFIXES, detect_format
from cxr_app.imaging.other_kinds import other_kind
from cxr_app.imaging.passed_over import SNIFFED_BYTES, is_passed_over
from cxr_app.imaging.zip_archive import is_zip
from training.backlog.engines.contract import RETRY, FoundFile

LEADS_OUT = (
    "It is a link to a file outside the folders that may be scored. Put the film itself there."
)
LINKED_FOLDER = (
    "It is a link to a folder elsewhere, and such links are not followed. Score that folder "
    "separately."
)
MISSING = (
    "The DICOMDIR of the disc lists this film, but it is not there. Copy the whole disc again."
)
SETTLE_SECONDS = 2.0
"""How long a file must be unchanged before it is scored."""
STALL_SECONDS = 60.0
"""How long a file must be unchanged before it counts that it cannot be scored.

A slow copy may stand still for a time, and part of a film looks damaged, or like another kind.
"""


class FolderScan:
    """The films of a folder, by content, and by name so that a broken film is not lost.

    A file or folder that cannot be opened may be a film, and is yielded with its problem; so is a
    link to a folder elsewhere. Links to folders are not followed, so that a loop of links ends. On
    a disc with a DICOMDIR, its images are films, whatever is left of them, and other pictures are
    not; an image that is not there is yielded with its problem.

    Parameters
    ----------
    folder
        The folder.

    Attributes
    ----------
    passed_over
        Paths, relative to the folder, of the files so far that are no films of any kind.
    """

    def __init__(self, folder: Path) -> None:
        self.passed_over: list[str] = []
        self._folder = folder
        self._whole = folder.resolve()
        self._discs: dict[Path, DiscContents] = {}

    def __iter__(self) -> Iterator[FoundFile]:
        """Yield the films, folder by folder."""
        self.passed_over.clear()
        ahead = [self._folder]
        while ahead:
            here = ahead.pop()
            try:
                with os.scandir(here) as scanned:
                    entries = sorted(scanned, key=lambda entry: entry.name)
            except OSError as error:
                problem = f"The folder cannot be opened: {error.strerror}. {RETRY}"
                yield FoundFile(here, f"{self._source(here)}/", problem)
                continue
            yield from self._open_disc(here, [entry.name for entry in entries])
            below = []
            for entry in entries:
                path = Path(entry.path)
                if _is_folder(entry):
                    below.append(path)
                elif (film := self._film(path)) is not None:
                    yield film
            ahead.extend(reversed(below))

    def _open_disc(self, here: Path, names: Sequence[str]) -> Iterator[FoundFile]:
        """Read the table of contents of a disc; yield its images that are not there."""
        found = next((name for name in names if name.upper() == DIRECTORY_NAME), None)
        if found is None or not (here / found).is_file():
            return
        with suppress(OSError):
            contents = disc_contents((here / found).read_bytes())
            if contents is None:
                return
            self._discs[here] = contents
            present = {disc_path(path.relative_to(here)) for path in here.rglob("*")}
            for image in sorted(contents.images - present):
                path = here / image
                yield FoundFile(path, self._source(path), MISSING)

    def _film(self, path: Path) -> FoundFile | None:
        """Return a file as a film, or None if it is not one."""
        source = self._source(path)
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):  # a link; films inside the folder are found anyway
                is_inside = path.resolve().is_relative_to(self._whole)
                return None if is_inside else FoundFile(path, f"{source}/", LINKED_FOLDER)
            if not stat.S_ISREG(status.st_mode):
                return None
            with path.open("rb") as file:
                head = file.read(SNIFFED_BYTES)
        except OSError as error:
            return FoundFile(path, source, f"The file cannot be read: {error.strerror}. {RETRY}")
        if not self._may_be_film(path, head):
            self.passed_over.append(source)
            return None
        changed_at = max(status.st_mtime, status.st_ctime)
        return FoundFile(path, source, changed_at=changed_at, is_archive=is_zip(head))

    def _may_be_film(self, path: Path, head: bytes) -> bool:
        """Check whether a file is listed as a film, named like one, or begins like one."""
        root = next((each for each in path.parents if each in self._discs), None)
        if root is not None:
            return self._discs[root].has_film(disc_path(path.relative_to(root)), head)
        if is_passed_over(path.name, head):
            return False
        is_known = detect_format(head) is not None or other_kind(head) is not None or is_zip(head)
        return is_known or path.suffix.lower() in FILM_SUFFIXES

    def _source(self, path: Path) -> str:
        return str(path.relative_to(self._folder))


def refuse_outside_links(found: Iterable[FoundFile], roots: Sequence[Path]) -> Iterator[FoundFile]:
    """Yield films, with a problem for each link that leads outside some folders.

    Parameters
    ----------
    found
        Films; some may be links.
    roots
        The folders that links may lead into; empty for any.
    """
    whole = [root.resolve() for root in roots]
    for film in found:
        leads_out = whole and not film.problem and film.path.is_symlink()
        if leads_out and not any(film.path.resolve().is_relative_to(root) for root in whole):
            yield replace(film, problem=LEADS_OUT)
        else:
            yield film


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Check whether an entry is a folder; if that fails, treat it as a film with a problem."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


class FolderWatch:
    """A folder that films arrive in; each is returned once it has stopped growing.

    Parameters
    ----------
    folder
        The folder.

    Attributes
    ----------
    awaited
        Sources of the files that are returned once more, when they count as complete.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, _Sighting] = {}
        self._returned: dict[str, FileState] = {}
        self.awaited: set[str] = set()

    def arrived(self) -> list[FoundFile]:
        """Wait a moment; return the films that are new or changed and have stopped growing."""
        began = time.monotonic()
        scanned = {film.source: (film, _state(film)) for film in FolderScan(self._folder)}
        ended = time.monotonic()
        settled = []
        seen = {}
        for source, (film, state) in scanned.items():
            last = self._seen.get(source)
            if last is None or last.state != state:
                last = _Sighting(state, ended)
            seen[source] = last
            if self._is_wanted(source, last, began):
                settled.append(replace(film, may_grow=began - last.since < STALL_SECONDS))
        self._seen = seen
        self._returned = {
            source: self._returned[source] for source in scanned if source in self._returned
        }
        self._returned.update((film.source, scanned[film.source][1]) for film in settled)
        self.awaited = (self.awaited & scanned.keys()) - {film.source for film in settled}
        if not settled:
            # Scanning a large folder takes long: pause at least as long as the scan took.
            time.sleep(max(SETTLE_SECONDS, ended - began))
        return settled

    def look_again(self, films: Iterable[FoundFile]) -> None:
        """Return these once more, when they change or have been unchanged for long."""
        self.awaited.update(film.source for film in films)

    def _is_wanted(self, source: str, last: "_Sighting", now: float) -> bool:
        """Check whether a file is to be returned now."""
        unchanged = now - last.since
        if self._returned.get(source) != last.state:
            return unchanged >= SETTLE_SECONDS
        return source in self.awaited and unchanged >= STALL_SECONDS


FileState = tuple[float, int]
"""What changes in a file while it is being written: time and size."""


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A file as the watch has seen it, unchanged, since a time of the monotonic clock."""

    state: FileState
    since: float


def _state(film: FoundFile) -> FileState:
    """Return the state of a file; one that cannot be opened has no size."""
    try:
        return film.changed_at, -1 if film.problem else film.path.stat().st_size
    except OSError:
        return film.changed_at, -1
