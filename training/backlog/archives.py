"""The films within the zip archives of a folder."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cxr_app.errors import FilmError, ShortageError
from cxr_app.imaging.passed_over import SNIFFED_BYTES, is_passed_over
from cxr_app.imaging.zip_archive import member_heads
from training.backlog.engines.contract import FoundFile


def open_archives(found: Iterable[FoundFile], passed_over: list[str]) -> Iterator[FoundFile]:
    """Yield films, with the films of each zip archive in its place.

    An archive that cannot be unpacked, or holds no film, is yielded itself: its row says why.

    Parameters
    ----------
    found
        Files of a folder.
    passed_over
        Receives the sources of files in archives that are no films of any kind.
    """
    for file in found:
        films = _films_of(file, passed_over) if file.is_archive and not file.problem else []
        yield from films or [file]


def _films_of(archive: FoundFile, passed_over: list[str]) -> list[FoundFile]:
    """Return the films of an archive; none if it cannot be unpacked."""
    try:
        heads = member_heads(archive.path, SNIFFED_BYTES)
    except (FilmError, ShortageError):
        return []
    films = []
    for name, head in heads:
        source = f"{archive.source}/{name}"
        if is_passed_over(source, head):
            passed_over.append(source)
        else:
            # An archive that is being copied has no table of contents yet: this one is complete.
            film = replace(archive, source=source, is_archive=False, member=name, may_grow=False)
            films.append(film)
    return films
