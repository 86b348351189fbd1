"""What is wrong with an installation, each with what to do about it."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cxr_app.errors import CxrError, WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.operations.certificates import examine_certificates
from cxr_app.operations.clocks import examine_clocks
from cxr_app.operations.diagnosis import Diagnosis, checked
from cxr_app.operations.model_check import examine_model
from cxr_app.operations.opening import open_worklist
from cxr_app.operations.ports import examine_server
from cxr_app.operations.presence import missing_installation
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.rights import require_rights
from cxr_app.worklist.stored_schema import stored_schema
from cxr_app.written_settings import in_words, unknown_variables

LEAST_FREE_BYTES = 5 * 2**30
LEAST_FREE_FILES = 10_000
LONGEST_UNSCORED = timedelta(hours=1)
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine_installation(settings: Settings) -> Iterator[Diagnosis]:
    """Yield the result of every check, as it is made; nothing is changed."""
    if missing := _missing(settings):
        yield Diagnosis("installation", missing)
    yield _variables(settings)
    if settings.data_dir.is_dir():
        yield checked("data folder", lambda: _private_folder(settings.data_dir, settings.films_dir))
    yield checked("audit folder", lambda: _private_folder(settings.audit_folder))
    if (log := settings.log_file) is not None:
        yield checked("log", lambda: _log(log))
    yield checked("free disk", lambda: _free_disk(settings))
    yield from examine_certificates(settings)
    yield examine_server()
    if not missing:
        yield from _examine_worklist(settings)


def _missing(settings: Settings) -> str:
    try:
        return missing_installation(settings)
    except CxrError:  # the check of the worklist tells it
        return ""


def _examine_worklist(settings: Settings) -> Iterator[Diagnosis]:
    try:
        require_rights(settings.worklist_url)
        _require_current(settings)
        worklist = open_worklist(settings, begins=False)
    except CxrError as error:
        yield Diagnosis("worklist", str(error))
        return
    with closing(worklist):
        yield Diagnosis("worklist")
        yield checked("films", lambda: _films(settings, worklist))
        yield checked("waiting for a score", lambda: _unscored(worklist))
        yield from examine_clocks(settings, worklist)
        yield from examine_model(settings, worklist)


def _require_current(settings: Settings) -> None:
    stored = stored_schema(settings.worklist_url)
    if stored.revision is not None and not stored.is_current:
        raise WorklistError(
            "The worklist is of another version. Run python -m cxr_app.admin upgrade, or start the "
            "version that wrote it."
        )


def _variables(settings: Settings) -> Diagnosis:
    """Look for mistyped settings; a name that is like none may be another program's."""
    unknown = unknown_variables(settings.variables(), os.environ)
    mistyped = [in_words(each, similar) for each, similar in unknown.items() if similar]
    others = [in_words(each, "") for each, similar in unknown.items() if not similar]
    return Diagnosis("settings", " ".join(mistyped), " ".join(others))


def _private_folder(folder: Path, *below: Path) -> str:
    if not folder.is_dir():
        return ""  # the first start makes it
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} cannot be written by this user. Run the program as its owner."
    exposed = [path for path in (folder, *below) if path.is_dir()]
    exposed = [path for path in exposed if stat.S_IMODE(path.stat().st_mode) & OTHERS]
    if exposed:
        return f"Other users may look into {exposed[0]}. Run: chmod 700 {exposed[0]}"
    return ""


def _log(path: Path) -> str:
    """Check that the log can be written, and its folder, which gets a new file when it is full."""
    folder = path.parent
    if not folder.is_dir():
        return f"The folder of CXR_LOG_FILE ({path}) is missing. Make it, or choose another."
    if path.is_dir():
        return f"CXR_LOG_FILE ({path}) is a folder. Name a file in it."
    if path.exists() and not os.access(path, os.W_OK):
        return f"CXR_LOG_FILE ({path}) cannot be written by this user. Make it this user's."
    is_rotated = path.is_file() or not path.exists()
    if is_rotated and not os.access(folder, os.W_OK | os.X_OK):
        return (
            f"No file can be made in the folder of CXR_LOG_FILE ({path}) by this user, as is "
            "needed when the log is full. Choose a folder of this user's."
        )
    return ""


def _free_disk(settings: Settings) -> str:
    return _room(settings.data_dir, "CXR_DATA_DIR") or _room(settings.audit_folder, "CXR_AUDIT_DIR")


def _room(folder: Path, variable: str) -> str:
    place = next(each for each in (folder, *folder.parents) if each.is_dir())
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return (
            f"{place} has {free / 2**30:.1f} GB left; films are refused when it is full. "
            f"Make room or move {variable} to a larger disk."
        )
    inodes = os.statvfs(place)
    if inodes.f_files and inodes.f_favail < LEAST_FREE_FILES:
        return (
            f"{place} can hold {inodes.f_favail} more files; each film is one. Make room or move "
            f"{variable} to a disk with more inodes."
        )
    return ""


def _films(settings: Settings, worklist: Worklist) -> str:
    """Look for films that are named and not there, and for films that no entry names."""
    films = FilmStore(settings.films_dir)
    named: set[str] = set()
    missing = 0
    for file in worklist.instances.every():
        if films.is_place_of(file.path, file.sha256):
            named.add(file.sha256)
            missing += not file.is_deleted and not films.has(file.sha256)
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
