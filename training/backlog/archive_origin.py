"""Films of an archive as they come into a run: searched for, fetched, then scored.

A film's row is named by its SOP Instance UID, so that the next run asks only for what has none.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from cxr_app.errors import SettingsError
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_query import FilmQuery
from cxr_app.pacs.film_sources import film_source
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.backlog.engines.contract import FoundFile
from training.backlog.film_fetching import FilmFetcher
from training.backlog.run import Backlog
from training.backlog.run_progress import BatchProgress

FILMS_AT_ONCE = 32
"""Films that are fetched before they are scored; the next ones are fetched meanwhile."""
POLL_SECONDS = 0.5


class ArchiveOrigin:
    """The films of an archive that a query asks for.

    Parameters
    ----------
    settings
        The archive's address, and this program's title.
    query
        Which films.
    limit
        How many films at most; None for all.

    Raises
    ------
    SettingsError
        If no archive is named.
    """

    def __init__(self, settings: Settings, query: FilmQuery, limit: int | None) -> None:
        if settings.film_archive is None:
            raise SettingsError(
                "No archive is named: set CXR_FILMS_FROM, for example to ORTHANC@archive:4242."
            )
        self._settings = settings
        self._target = settings.film_archive
        self._query = query
        self._limit = limit

    def due(
        self, backlog: Backlog, progress: BatchProgress, worklist: Worklist
    ) -> Iterator[Sequence[FoundFile]]:
        """Yield the films that are due, some at a time; the next are fetched in the background.

        Raises
        ------
        ArchiveError
            If the archive does not search, or cannot be reached for some time.
        WorklistError
            If films cannot be kept.
        """
        found = self._search(progress)
        films = list({_place(film): film for film in found if film.may_be_film}.values())
        left = set(backlog.unfinished([film.sop_instance_uid for film in films]))
        due = [film for film in films if film.sop_instance_uid in left][: self._limit]
        backlog.tally.expected = len(due)
        fetcher = FilmFetcher(self._settings, worklist)
        yield from _fetched(fetcher, due, progress)
        others = [film.sop_instance_uid for film in found if not film.may_be_film]
        progress.passed_over = (*others, *fetcher.passed_over)

    def _search(self, progress: BatchProgress) -> list[ArchivedFilm]:
        """Return the films that the archive has; let the summary say so if it has none."""
        with film_source(self._target, self._settings) as archive:
            found = list(progress.searching(archive.films(self._query)))
        if not found:
            progress.remark = f"{self._target.name} has no film that matches {self._query.written}."
        return found


def _place(film: ArchivedFilm) -> tuple[str, str, str]:
    """Return where an archive has a film: some have several films with one SOP Instance UID."""
    return film.study_instance_uid, film.series_instance_uid, film.sop_instance_uid


def _fetched(
    fetcher: FilmFetcher, films: Sequence[ArchivedFilm], progress: BatchProgress
) -> Iterator[Sequence[FoundFile]]:
    """Yield films as they are fetched; while some are scored, a thread fetches the next."""
    parts = [films[at : at + FILMS_AT_ONCE] for at in range(0, len(films), FILMS_AT_ONCE)]
    with ThreadPoolExecutor(1, "film-fetcher") as pool:
        try:
            coming = None
            for part in [*parts, None]:
                ready = coming and _awaited(coming, fetcher, progress)
                coming = pool.submit(fetcher.fetch, part) if part else None
                if ready is not None:
                    yield ready
        finally:
            fetcher.stop()


def _awaited(
    coming: Future[list[FoundFile]], fetcher: FilmFetcher, progress: BatchProgress
) -> list[FoundFile]:
    """Wait for films, and show how many have been fetched."""
    while not wait([coming], POLL_SECONDS).done:
        progress.fetching(fetcher.fetched)
    return coming.result()
