"""Films of a folder as they come into a run: all at once, or as they arrive."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cxr_app.errors import SettingsError
from training.backlog.archives import open_archives
from training.backlog.engines.contract import FoundFile
from training.backlog.folder import FolderScan, FolderWatch, refuse_outside_links
from training.backlog.run import Backlog
from training.backlog.run_progress import BatchProgress


class FolderOrigin:
    """A folder of films.

    Parameters
    ----------
    folder
        The folder.
    within
        As `refuse_outside_links` takes it.
    watches
        Whether films are awaited for ever.

    Raises
    ------
    SettingsError
        If there is no such folder.
    """

    def __init__(self, folder: Path, within: Sequence[Path], *, watches: bool) -> None:
        if not folder.is_dir():
            raise SettingsError(f"{folder} is not a folder. Name the folder with the films.")
        self._folder = folder
        self._within = within
        self._watches = watches

    def due(self, backlog: Backlog, progress: BatchProgress) -> Iterator[Sequence[FoundFile]]:
        """Yield the films that are due: all at once, or those that have arrived each time."""
        for found in self._arrivals(progress):
            yield backlog.due(found)

    def _arrivals(self, progress: BatchProgress) -> Iterator[Sequence[FoundFile]]:
        if not self._watches:
            scanned = FolderScan(self._folder)
            packed: list[str] = []
            found = open_archives(refuse_outside_links(scanned, self._within), packed)
            yield list(progress.searching(found))
            progress.passed_over = (*scanned.passed_over, *packed)
            return
        watch = FolderWatch(self._folder)
        while True:
            yield list(open_archives(refuse_outside_links(watch.arrived(), self._within), []))
