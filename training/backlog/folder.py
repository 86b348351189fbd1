"""The films of a folder: found at any depth by their content, or watched as they arrive."""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cxr_app.imaging import intake
from cxr_app.imaging.formats import FILM_SUFFIXES
from training.backlog.engines.contract import RETRY, FoundFile

SNIFFED_BYTES = 4096
LEADS_OUT = (
    "It is a link to a file outside the folders that may be scored. Put the film itself there."
)
LINKED_FOLDER = (
    "It is a link to a folder elsewhere, and such links are not followed. Score that folder "
    "separately."
)
SETTLE_SECONDS = 2.0
"""How long a file must be unchanged to count as complete."""


def scan_folder(folder: Path) -> Iterator[FoundFile]:
    """Yield the films of a folder: by content, and by name so that a broken film is not lost.

    A file or folder that cannot be opened may be a film, and is yielded with its problem; so is a
    link to a folder elsewhere. Links to folders are not followed, so that a loop of links ends.
    """
    whole = folder.resolve()
    ahead = [folder]
    while ahead:
        here = ahead.pop()
        try:
            with os.scandir(here) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            problem = f"The folder cannot be opened: {error.strerror}. {RETRY}"
            yield FoundFile(here, f"{here.relative_to(folder)}/", problem)
            continue
        below = []
        for entry in entries:
            path = Path(entry.path)
            if _is_folder(entry):
                below.append(path)
            elif (film := _film(path, str(path.relative_to(folder)), whole)) is not None:
                yield film
        ahead.extend(reversed(below))


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


def _film(path: Path, source: str, folder: Path) -> FoundFile | None:
    """Return a file as a film, or None if it is not one."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):  # a link; films inside the folder are found anyway
            is_inside = path.resolve().is_relative_to(folder)
            return None if is_inside else FoundFile(path, f"{source}/", LINKED_FOLDER)
        if not stat.S_ISREG(status.st_mode) or not _may_be_film(path):
            return None
    except OSError as error:
        return FoundFile(path, source, f"The file cannot be read: {error.strerror}. {RETRY}")
    return FoundFile(path, source, changed_at=max(status.st_mtime, status.st_ctime))


def _may_be_film(path: Path) -> bool:
    """Check whether a file is named like a film or begins like one."""
    if path.suffix.lower() in FILM_SUFFIXES:
        return True
    with path.open("rb") as file:
        return intake.sniff(file.read(SNIFFED_BYTES)) is not None


class FolderWatch:
    """A folder that films arrive in; each is returned once it has stopped growing.

    Parameters
    ----------
    folder
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[float, int]] = {}
        self._returned: dict[str, tuple[float, int]] = {}

    def arrived(self) -> list[FoundFile]:
        """Wait a moment; return the films that are new or changed and complete by now."""
        began = time.monotonic()
        scanned = {film.source: (film, _state(film)) for film in scan_folder(self._folder)}
        settled = [
            film
            for source, (film, state) in scanned.items()
            if self._seen.get(source) == state and self._returned.get(source) != state
        ]
        self._seen = {source: state for source, (_, state) in scanned.items()}
        self._returned = {
            source: self._returned[source] for source in scanned if source in self._returned
        }
        self._returned.update((film.source, scanned[film.source][1]) for film in settled)
        if not settled:
            # Scanning a large folder takes long: pause at least as long as the scan took.
            time.sleep(max(SETTLE_SECONDS, time.monotonic() - began))
        return settled


def _state(film: FoundFile) -> tuple[float, int]:
    """Return what changes in a file while it is being written: time and size."""
    try:
        return film.changed_at, -1 if film.problem else film.path.stat().st_size
    except OSError:
        return film.changed_at, -1
