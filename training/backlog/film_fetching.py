"""Films of an archive fetched and received, with patience for an archive that is away for a time.

A film is identified by its SOP Instance UID and its content, as the receiver does it, so a film
that was sent or uploaded before is not entered again.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cxr_app.errors import ArchiveError, FilmNotSentError, WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.pacs import store_answers
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_sources import film_source
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.pacs.storing import Stored, Storing
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.backlog.engines.contract import FoundFile
from training.backlog.patience import LONGEST_SECONDS, Told, patiently

PAUSES_SECONDS = (1.0, 5.0, 20.0)
"""Waits before the archive is called again after a failure."""
NO_ROOM = (
    "A film could not be kept: disk, database or memory are out of room. Make room, then run the "
    "same command again."
)
ENDS_HERE = "The archive ended the association whenever it was asked for this film."


class FilmFetcher:
    """Fetches films into the worklist; each is then a file to score.

    Parameters
    ----------
    settings
        The archive's address, and this program's title.
    worklist
        Where films are entered.

    Attributes
    ----------
    fetched
        How many films have been asked for.
    passed_over
        SOP Instance UIDs of what was fetched and is no film, or a result of this program.
    """

    def __init__(self, settings: Settings, worklist: Worklist) -> None:
        store = FilmStore(settings.films_dir)
        self._settings = settings
        self._worklist = worklist
        self._storing = Storing(Reception(store, worklist), store.root)
        self._stop = threading.Event()
        self.fetched = 0
        self.passed_over: list[str] = []

    def stop(self) -> None:
        """Let `fetch` end after the film in hand."""
        self._stop.set()

    def fetch(self, films: Sequence[ArchivedFilm]) -> list[FoundFile]:
        """Fetch films; one that the archive does not send is returned with its problem.

        Raises
        ------
        ArchiveError
            If the archive cannot be reached for some time.
        WorklistError
            If films cannot be kept.
        """
        waiting = list(films)
        found: list[FoundFile] = []
        failures = 0
        while waiting and not self._stop.is_set():
            try:
                failures = self._fetch_some(waiting, found, failures)
            except ArchiveError:
                if failures >= len(PAUSES_SECONDS):
                    raise
                self._stop.wait(PAUSES_SECONDS[failures])
                failures += 1
        return found

    def _fetch_some(
        self, waiting: list[ArchivedFilm], found: list[FoundFile], failures: int
    ) -> int:
        """Fetch films over one association, as long as it lasts.

        Returns
        -------
        int
            How often in a row the archive has failed at the first film that waits.
        """
        target = self._settings.film_archive
        if target is None:
            raise ArchiveError("No archive is named: set CXR_FILMS_FROM.")
        classes = {film.sop_class_uid for film in waiting}
        with film_source(target, self._settings, classes) as archive:
            while waiting and not self._stop.is_set():
                try:
                    film = self._received(archive.fetch(waiting[0]), waiting[0], target.name)
                except FilmNotSentError as error:
                    film = _problem(waiting[0], str(error))
                except ArchiveError:
                    if failures < len(PAUSES_SECONDS):
                        self._stop.wait(PAUSES_SECONDS[failures])
                        return failures + 1
                    film = _problem(waiting[0], ENDS_HERE)
                del waiting[0]
                failures = 0
                self.fetched += 1
                if film is not None:
                    found.append(film)
        return failures

    def _received(self, data: bytes, film: ArchivedFilm, source: str) -> FoundFile | None:
        """Keep and enter a film; None for what is no film."""
        stored = self._kept(data, film, source)
        if stored.answer is store_answers.NO_ROOM:
            raise WorklistError(NO_ROOM)
        if stored.answer is store_answers.NO_FILM or stored.arrived is Arrived.OWN_RESULT:
            self.passed_over.append(film.sop_instance_uid)
            return None
        if not stored.answer.is_success:
            return _problem(film, stored.answer.comment)
        entry = self._told(lambda: self._worklist.entry(stored.entry_id))
        return FoundFile(entry.path, film.sop_instance_uid)

    def _kept(self, data: bytes, film: ArchivedFilm, source: str) -> Stored:
        """Keep and enter a film, once more if the worklist may have been away."""
        announced = (film.sop_class_uid, film.sop_instance_uid) if film.sop_class_uid else None
        stored = self._storing.take(data, source, announced)
        if stored.answer is not store_answers.NO_ROOM:
            return stored
        self._told(self._worklist.counts)
        return self._storing.take(data, source, announced)

    def _told(self, ask: Callable[[], Told]) -> Told:
        return patiently(ask, LONGEST_SECONDS, self._stop)


def _problem(film: ArchivedFilm, reason: str) -> FoundFile:
    """Return a film that could not be fetched; the next run tries it again."""
    source = film.sop_instance_uid
    return FoundFile(Path(source), source, f"{reason} Run the same command again.")
