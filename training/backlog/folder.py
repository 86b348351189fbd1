"""The films of a folder: found at any depth by what they are, and watched as they arrive."""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cxr_app.imaging import intake
from training.backlog.engines.contract import RETRY, Found

FILM_SUFFIXES = {".dcm", ".dicom", ".jpg", ".jpeg", ".png"}
SNIFFED_BYTES = 4096
LEADS_OUT = (
    "It is a link to a file outside the folders that may be scored. Put the film itself there."
)
LINKED_FOLDER = (
    "It is a link to a folder elsewhere, and such links are not followed. Score that folder by "
    "itself."
)
SETTLE_SECONDS = 2.0
"""A file that has not changed for so long has arrived whole."""


def find_films(folder: Path) -> Iterator[Found]:
    """Find films: by content, and by name so that a broken film is not lost.

    What cannot be opened may be a film too, and is found with its problem; so is a link to a folder
    elsewhere. Links to folders are not followed, so that a loop of links ends.
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
            yield Found(here, f"{here.relative_to(folder)}/", problem)
            continue
        below = []
        for entry in entries:
            path = Path(entry.path)
            if _is_folder(entry):
                below.append(path)
            elif (film := _film(path, str(path.relative_to(folder)), whole)) is not None:
                yield film
        ahead.extend(reversed(below))


def inside(found: Iterable[Found], roots: Sequence[Path]) -> Iterator[Found]:
    """Keep what lies below some folders; a link that leads elsewhere is not followed.

    Parameters
    ----------
    found
        Films, some of them perhaps links.
    roots
        The folders; none for anywhere.
    """
    whole = [root.resolve() for root in roots]
    for film in found:
        leads_out = whole and not film.problem and film.path.is_symlink()
        if leads_out and not any(film.path.resolve().is_relative_to(root) for root in whole):
            yield replace(film, problem=LEADS_OUT)
        else:
            yield film


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Say whether it is a folder; what cannot be asked may be a film, which then tells why."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _film(path: Path, source: str, folder: Path) -> Found | None:
    """Take a file for a film, or for none."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):  # a link, whose films are found where they lie, or not
            inside_anyway = path.resolve().is_relative_to(folder)
            return None if inside_anyway else Found(path, f"{source}/", LINKED_FOLDER)
        if not stat.S_ISREG(status.st_mode) or not _may_be_film(path):
            return None
    except OSError as error:
        return Found(path, source, f"The file cannot be read: {error.strerror}. {RETRY}")
    return Found(path, source, changed_at=max(status.st_mtime, status.st_ctime))


def _may_be_film(path: Path) -> bool:
    """Say whether a file claims to be a film, or begins like one."""
    if path.suffix.lower() in FILM_SUFFIXES:
        return True
    with path.open("rb") as file:
        return intake.sniff(file.read(SNIFFED_BYTES)) is not None


class Watch:
    """A folder that films arrive in; each is given out once it has stopped growing.

    Parameters
    ----------
    folder
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[float, int]] = {}
        self._given: dict[str, tuple[float, int]] = {}

    def arrived(self) -> list[Found]:
        """Wait a moment, and give the films that came or changed and are the same as before it."""
        began = time.monotonic()
        looked = {film.source: (film, _shape(film)) for film in find_films(self._folder)}
        settled = [
            film
            for source, (film, shape) in looked.items()
            if self._seen.get(source) == shape and self._given.get(source) != shape
        ]
        self._seen = {source: shape for source, (_, shape) in looked.items()}
        self._given = {source: self._given[source] for source in looked if source in self._given}
        self._given.update((film.source, looked[film.source][1]) for film in settled)
        if not settled:
            # A look at a large folder takes long itself: rest as long as it took.
            time.sleep(max(SETTLE_SECONDS, time.monotonic() - began))
        return settled


def _shape(film: Found) -> tuple[float, int]:
    """Tell a file from the same one a moment later, if it is still being written."""
    try:
        return film.changed_at, -1 if film.problem else film.path.stat().st_size
    except OSError:
        return film.changed_at, -1
