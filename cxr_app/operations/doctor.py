"""What is wrong with an installation, each with what to do about it."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cxr_app.errors import CxrError
from cxr_app.film_store import FilmStore
from cxr_app.model import checkpoint
from cxr_app.operations.opening import open_worklist
from cxr_app.promotion import checkpoint_in_use
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist

LEAST_FREE_BYTES = 5 * 2**30
LONGEST_UNSCORED = timedelta(hours=1)
FILMS_AT_ONCE = 500
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check.

    Parameters
    ----------
    name
        What was checked.
    problem
        What is wrong, and what to do; empty if nothing is.
    """

    name: str
    problem: str = ""


def examine_installation(settings: Settings) -> Iterator[Diagnosis]:
    """Yield the result of every check, as it is made; nothing is changed.

    An outdated database is brought up to date, as by the start of a server.
    """
    yield _checked("data folder", lambda: _data_folder(settings))
    yield _checked("free disk", lambda: _free_disk(settings))
    try:
        worklist = open_worklist(settings)
    except CxrError as error:
        yield Diagnosis("worklist", str(error))
        return
    with closing(worklist):
        yield Diagnosis("worklist")
        yield _checked("films", lambda: _films(settings, worklist))
        yield _checked("waiting for a score", lambda: _unscored(worklist))
        yield _checked("clock", lambda: _clock(settings, worklist))
        yield _checked("model", lambda: _model(settings, worklist))


def _checked(name: str, check: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(name, check())
    except (CxrError, OSError) as error:
        return Diagnosis(name, str(error))


def _data_folder(settings: Settings) -> str:
    folder = settings.data_dir
    if not folder.is_dir():
        return ""  # the first start makes it
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} cannot be written by this user. Run the program as its owner."
    exposed = [path for path in (folder, settings.films_dir) if path.is_dir()]
    exposed = [path for path in exposed if stat.S_IMODE(path.stat().st_mode) & OTHERS]
    if exposed:
        return f"Other users may look into {exposed[0]}. Run: chmod 700 {exposed[0]}"
    return ""


def _free_disk(settings: Settings) -> str:
    place = next(each for each in (settings.data_dir, *settings.data_dir.parents) if each.is_dir())
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return (
            f"{place} has {free / 2**30:.1f} GB left; films are refused when it is full. "
            "Make room or move CXR_DATA_DIR to a larger disk."
        )
    return ""


def _films(settings: Settings, worklist: Worklist) -> str:
    """Look for films that are named and not there, and for films that no entry names."""
    films = FilmStore(settings.films_dir)
    named: set[str] = set()
    missing = offset = 0
    query = Query(state="all")
    while entries := worklist.page(query, offset, FILMS_AT_ONCE):
        offset += len(entries)
        here = [entry for entry in entries if entry.path == films.path(entry.sha256)]
        named.update(entry.sha256 for entry in here)
        missing += sum(
            entry.film_deleted_at is None and not films.has(entry.sha256) for entry in here
        )
    if missing:
        return (
            f"{missing} films of the worklist are not in {films.root}. Copy them there from a "
            "backup; python -m cxr_app.admin verify shows whether it is whole."
        )
    if unnamed := sum(sha256 not in named for sha256 in films.stored()):
        return (
            f"{unnamed} films are stored and not in the worklist. Enter them with "
            "python -m cxr_app.admin reenter."
        )
    return ""


def _unscored(worklist: Worklist) -> str:
    waiting = worklist.next_received(1)
    if waiting and datetime.now(UTC) - waiting[0].received_at > LONGEST_UNSCORED:
        return (
            f"{worklist.counts().in_progress} films wait for a score, the first for more than an "
            "hour. Check that the server runs, and what it says about the model."
        )
    return ""


def _clock(settings: Settings, worklist: Worklist) -> str:
    status = Retention(settings, worklist).status()
    if status is not None and status.has_stopped:
        return (
            f"It shows {status.now:%Y-%m-%d %H:%M} UTC, more than a day from the last sweep of "
            "films, and no film is deleted. If it is right, confirm it on the Backlog page or with "
            "python -m cxr_app.admin confirm-clock."
        )
    return ""


def _model(settings: Settings, worklist: Worklist) -> str:
    checkpoint.load(checkpoint_in_use(settings, worklist))
    return ""
