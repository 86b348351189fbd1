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
        if self._watches:
            yield from self._arriving(backlog, progress)
            return
        scanned = FolderScan(self._folder)
        packed: list[str] = []
        found = open_archives(refuse_outside_links(scanned, self._within), packed)
        yield backlog.due(list(progress.searching(found)))
        progress.passed_over = (*scanned.passed_over, *packed)

    def _arriving(self, backlog: Backlog, progress: BatchProgress) -> Iterator[Sequence[FoundFile]]:
        """Yield films as they arrive, until the generator is closed."""
        watch = FolderWatch(self._folder)
        try:
            while True:
                found = refuse_outside_links(watch.arrived(), self._within)
                yield backlog.due(list(open_archives(found, [])))
                watch.look_again(backlog.taken_postponed())
        finally:
            watch.look_again(backlog.taken_postponed())
            progress.remark = _awaited(len(watch.awaited))


def _awaited(number: int) -> str:
    """Return how many files have no row yet because they may have been incomplete."""
    if not number:
        return ""
    files = "1 file" if number == 1 else f"{number} files"
    return (
        f"{files} could not be scored and may still have been incomplete: no row yet. The same "
        "command looks again."
    )
