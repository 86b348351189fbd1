"""Copies of films from one store into another, several at a time.

Each film is written through to the disk, which takes longer than reading and checking it; a disk
writes what several threads ask for at once in the time of one.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

from cxr_app.errors import FilmLostError
from cxr_app.film_store import FilmStore

THREADS = 8
"""More made no difference on an SSD, and each holds one film in memory."""
TOGETHER = 1_000
"""Films of which a list is held at once."""


def copy_new_films(source: FilmStore, target: FilmStore) -> None:
    """Copy the films that the target has not; leave out those that the source has not whole.

    Raises
    ------
    WorklistError
        If a film cannot be written.
    """

    def copy(sha256: str) -> None:
        if _size(target, sha256) != _size(source, sha256):
            with suppress(FilmLostError):
                target.keep(source.read(sha256), sha256)

    _each(source, copy)


def copy_films(source: FilmStore, target: FilmStore) -> None:
    """Copy all films; one that the target has already is checked, and repaired if damaged.

    Raises
    ------
    FilmLostError
        If a film of the source is not whole.
    WorklistError
        If a film cannot be written.
    """
    _each(source, lambda sha256: target.keep(source.read(sha256), sha256))


def _each(source: FilmStore, copy: Callable[[str], object]) -> None:
    stored = iter(source.stored())
    with ThreadPoolExecutor(THREADS) as threads:
        while films := list(islice(stored, TOGETHER)):
            for _ in threads.map(copy, films):  # raises what a copy has raised
                pass


def _size(films: FilmStore, sha256: str) -> int:
    try:
        return films.path(sha256).stat().st_size
    except OSError:
        return -1
