"""The worklist of an installation, opened unless it was lost while its films are still there."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from cxr_app.errors import FilmLostError, WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from cxr_app.worklist.database import LOCK_TIMEOUT_SECONDS

logger = logging.getLogger(__name__)

MOST_UNENTERED = 200
"""Films that killed processes may have kept and not entered: more than come at once."""

SOURCE = "entered again"
"""What an entry shows as its file's name if that name was lost with the worklist."""


@dataclass(frozen=True, slots=True)
class ReentryCount:
    """What became of the films of a store that were entered again.

    Parameters
    ----------
    entered
        Films that are in the worklist now and were not before.
    known
        Films that it had already.
    damaged
        SHA-256 of files that are not the film they were; they are left out.
    """

    entered: int
    known: int
    damaged: tuple[str, ...]


def open_worklist(
    settings: Settings, *, lock_timeout: int = LOCK_TIMEOUT_SECONDS, begins: bool = True
) -> Worklist:
    """Open the worklist; refuse to begin a new one beside films that were received before.

    Parameters
    ----------
    lock_timeout
        As `Worklist.open` has it.
    begins
        Whether an empty worklist without films may be begun; otherwise it is left as it is.

    Raises
    ------
    SettingsError
        If the settings name no database that this program can use.
    WorklistError
        If the database cannot be opened, or if it is empty and the film store is not.
    """
    worklist = Worklist.open(settings.worklist_url, lock_timeout=lock_timeout)
    try:
        if not worklist.count(Query(state="all")):
            _require_beginning(settings, worklist, begins=begins)
    except WorklistError:
        worklist.close()
        raise
    return worklist


def _require_beginning(settings: Settings, worklist: Worklist, *, begins: bool) -> None:
    """Refuse an empty worklist beside films, unless it was begun when there were none.

    A process that is killed may have kept its first films and not entered them. Their senders were
    told nothing, and send them again.
    """
    films = sum(1 for _ in islice(FilmStore(settings.films_dir).stored(), MOST_UNENTERED + 1))
    if not films and begins:
        worklist.outbox.installation_id()
    elif films > MOST_UNENTERED or not worklist.outbox.has_installation_id():
        require_entries(settings, 0)


def reenter_films(settings: Settings, worklist: Worklist) -> ReentryCount:
    """Enter every film of the store into the worklist, unread and to be scored.

    A film that the worklist has already stays as it is there.

    Raises
    ------
    WorklistError
        If the worklist cannot be written.
    """
    films = FilmStore(settings.films_dir)
    entered = known = 0
    damaged = []
    named = {file.sha256 for file in worklist.instances.every()}
    for sha256 in films.stored():
        path = films.path(sha256)
        try:
            films.read(sha256)
            received_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except (FilmLostError, OSError):
            damaged.append(sha256)
            continue
        received_at = min(received_at, datetime.now(UTC))
        if sha256 in named or worklist.entry_by_sha256(sha256) is not None:
            known += 1
        else:
            worklist.receive(sha256, f"{SOURCE} {sha256[:8]}", path, received_at)
            entered += 1
    return ReentryCount(entered, known, tuple(damaged))


def require_entries(settings: Settings, entries: int) -> None:
    """Refuse to go on with a worklist of no entries beside films that were received before.

    Raises
    ------
    WorklistError
        If it has none, and the film store is not empty.
    """
    if not entries and FilmStore(settings.films_dir).holds_films():
        raise WorklistError(
            f"The worklist is empty, but {settings.films_dir} holds films: the worklist was lost, "
            "or CXR_DATABASE_URL or CXR_DATA_DIR names another one than before. Correct the "
            "setting, or restore a backup (python -m cxr_app.admin restore). If there is none, "
            "python -m cxr_app.admin reenter enters the films again; reviews and the names of the "
            "files are lost then."
        )
