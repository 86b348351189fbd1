"""How far a run is: a bar for whoever looks, a file for whoever follows, a summary at the end."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from cxr_app.outcome import ScoringState
from cxr_app.progress import Progress
from training.backlog.engines import Found
from training.backlog.run import Tally

TELL_SECONDS = 0.5
STATES = [state.value for state in ScoringState]


class BatchProgress:
    """Tells how far a run is, while it goes on.

    Parameters
    ----------
    path
        Where `Progress` is kept for others to follow; None for nowhere.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._tally = Tally()
        self._earlier: Mapping[str, int] = Counter()
        self._bar: tqdm[None] | None = None
        self._began = self._last = time.monotonic()
        self._told = 0.0

    def follow(self, tally: Tally, earlier: Mapping[str, int]) -> None:
        """Tell of this tally from now on; `earlier` is what the results file held before."""
        self._tally, self._earlier = tally, earlier
        self._keep(Progress(counts=self._counts()))

    def looking(self, found: Iterable[Found]) -> Iterator[Found]:
        """Show that the folder is being searched."""
        bar = tqdm(found, desc="Looking for films", unit=" films", leave=False, disable=None)
        for number, film in enumerate(bar):
            yield film
            if self._is_time():
                self._keep(Progress(done=number, counts=self._counts()))

    def tell(self) -> None:
        """Show how far the run is now."""
        tally = self._tally
        if self._bar is None:
            self._began = time.monotonic()  # what came before was loading
            self._bar = tqdm(unit="film", smoothing=0.05, dynamic_ncols=True, disable=None)
        self._last = time.monotonic()
        self._bar.total = tally.due
        self._bar.set_postfix(
            flagged=tally.flagged, rejected=tally.rejected, failed=tally.failed, refresh=False
        )
        self._bar.update(tally.done - self._bar.n)
        if self._is_time():
            self._keep(self._progress())

    def summary(self, out: Path) -> str:
        """Say what became of all, in a few lines."""
        self._close_bar()
        tally = self._tally
        counts = zip(STATES, (tally.scored, tally.rejected, tally.failed), strict=True)
        lines = [
            f"{tally.done} files: {', '.join(f'{number} {state}' for state, number in counts)}; "
            f"{tally.flagged} flagged. {self._rate():.1f} films a second."
        ]
        if tally.earlier:
            lines.append(f"{tally.earlier} files were in {out} from an earlier run.")
        if tally.rejected or tally.failed or self._earlier.get("FAILED"):
            lines.append(f"Why files were REJECTED or FAILED stands in {out}.")
        return "\n".join(lines)

    def end(self, status: int, message: str = "") -> None:
        """Say that the run has ended by itself, and how."""
        self._close_bar()
        self._keep(self._progress(status, message))

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _rate(self) -> float:
        """Give films a second, from the first to the last one done."""
        return self._tally.done / max(1e-3, self._last - self._began)

    def _counts(self) -> dict[str, int]:
        """Count the whole results file, and what was in it before this run."""
        tally = self._tally
        now = dict(zip(STATES, (tally.scored, tally.rejected, tally.failed), strict=True))
        now["flagged"] = tally.flagged
        counts = {name: number + self._earlier.get(name, 0) for name, number in now.items()}
        return counts | {"earlier": tally.earlier}

    def _progress(self, exit_status: int | None = None, message: str = "") -> Progress:
        tally = self._tally
        return Progress(
            done=tally.earlier + tally.done,
            total=tally.earlier + tally.due,
            counts=self._counts(),
            rate=round(self._rate(), 3),
            exit_status=exit_status,
            message=message,
        )

    def _is_time(self) -> bool:
        return time.monotonic() - self._told > TELL_SECONDS

    def _keep(self, progress: Progress) -> None:
        self._told = time.monotonic()
        if self._path is not None:
            with suppress(OSError):  # a full disk is for the results to tell of
                progress.write(self._path)
