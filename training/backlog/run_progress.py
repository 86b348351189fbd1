"""Progress of a batch run: bar, JSON file, final summary."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from cxr_app.outcome import ScoringState
from cxr_app.progress import Progress
from training.backlog.run import Tally

WRITE_SECONDS = 0.5
"""How often the JSON file is written at most."""
Film = TypeVar("Film")
NAMED = 5
"""How many of the files that were passed over a summary names."""
LINE_SECONDS = 10.0
"""How often a line is printed where no terminal shows a bar."""
STATES = [state.value for state in ScoringState]


class BatchProgress:
    """Shows and writes the progress of a batch run.

    Parameters
    ----------
    path
        Where `Progress` is written for the app; None for nowhere.

    Attributes
    ----------
    passed_over
        Files that are no films of any kind.
    remark
        What else the summary says; empty for nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._tally = Tally()
        self._earlier: Mapping[str, int] = Counter()
        self._bar: tqdm[None] | None = None
        self._began = self._last = time.monotonic()
        self._written = 0.0
        self.passed_over: tuple[str, ...] = ()
        self.remark = ""
        self._printed = time.monotonic()

    def follow(self, tally: Tally, earlier: Mapping[str, int]) -> None:
        """Show this tally from now on; `earlier` counts the rows of earlier runs."""
        self._tally, self._earlier = tally, earlier
        self._write(Progress(counts=self._counts()))

    def searching(self, found: Iterable[Film]) -> Iterator[Film]:
        """Yield films as they are found, and show that they are being looked for."""
        bar = tqdm(found, desc="Looking for films", unit=" films", leave=False, disable=None)
        for number, film in enumerate(bar):
            yield film
            if self._is_due():
                self._write(Progress(done=number, counts=self._counts()))

    def update(self) -> None:
        """Show the tally as it is now."""
        tally = self._tally
        if self._bar is None:
            self._began = time.monotonic()  # the time before was spent on loading
            self._bar = tqdm(unit="film", smoothing=0.05, dynamic_ncols=True, disable=None)
        self._last = time.monotonic()
        self._bar.total = tally.total
        self._bar.set_postfix(
            flagged=tally.flagged, rejected=tally.rejected, failed=tally.failed, refresh=False
        )
        self._bar.update(tally.done - self._bar.n)
        self._print_line()
        if self._is_due():
            self._write(self._progress())

    def fetching(self, number: int) -> None:
        """Show how many films have been fetched, while there are none to score."""
        self._print_line(f", {number:,} fetched")
        if self._is_due():
            self._write(self._progress())

    def _print_line(self, more: str = "") -> None:
        """Print a line now and then where no terminal shows the bar: a log must not be silent."""
        now = time.monotonic()
        if sys.stderr.isatty() or now - self._printed < LINE_SECONDS:
            return
        self._printed = now
        tally = self._tally
        print(
            f"{tally.done:,} of {tally.total:,} files, {tally.flagged:,} flagged, "
            f"{tally.rejected:,} rejected, {tally.failed:,} failed{more}; "
            f"{self._rate():.1f} films a second",
            file=sys.stderr,
            flush=True,
        )

    def summary(self, out: Path) -> str:
        """Return what became of all files, in a few lines."""
        self._close_bar()
        tally = self._tally
        counts = zip(STATES, (tally.scored, tally.rejected, tally.failed), strict=True)
        lines = [
            f"{tally.done} files: {', '.join(f'{number} {state}' for state, number in counts)}; "
            f"{tally.flagged} flagged. {self._rate():.1f} films a second."
        ]
        if tally.recalled:
            lines.append(f"{tally.recalled} of them had a score of this model in the worklist.")
        if tally.earlier:
            lines.append(f"{tally.earlier} files were in {out} from an earlier run.")
        if self.remark:
            lines.append(self.remark)
        if self.passed_over:
            lines.append(_passed_over(self.passed_over))
        if tally.rejected or tally.failed or self._earlier.get("FAILED"):
            lines.append(f"{out} has the reason for each file REJECTED or FAILED.")
        return "\n".join(lines)

    def end(self, status: int, message: str = "") -> None:
        """Write that the run has ended, with its exit status."""
        self._close_bar()
        progress = self._progress(status, message)
        if message and self._bar is None:  # it ended before it knew the total
            progress = replace(progress, done=0, total=None)
        self._write(progress)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _rate(self) -> float:
        """Return films scored or refused a second, from the first to the last one done."""
        judged = self._tally.done - self._tally.recalled
        return judged / max(1e-3, self._last - self._began)

    def _counts(self) -> dict[str, int]:
        """Count all rows of the results file, and the scores among them from before this run."""
        tally = self._tally
        now = dict(zip(STATES, (tally.scored, tally.rejected, tally.failed), strict=True))
        now["flagged"] = tally.flagged
        counts = {name: number + self._earlier.get(name, 0) for name, number in now.items()}
        return counts | {"scored_before": self._earlier.get(STATES[0], 0) + tally.recalled}

    def _progress(self, exit_status: int | None = None, message: str = "") -> Progress:
        tally = self._tally
        return Progress(
            done=tally.earlier + tally.done,
            total=tally.earlier + tally.total,
            counts=self._counts(),
            rate=round(self._rate(), 3),
            exit_status=exit_status,
            message=message,
        )

    def _is_due(self) -> bool:
        return time.monotonic() - self._written > WRITE_SECONDS

    def _write(self, progress: Progress) -> None:
        self._written = time.monotonic()
        if self._path is not None:
            with suppress(OSError):  # the results file reports a full disk
                progress.write(self._path)


def _passed_over(sources: Sequence[str]) -> str:
    """Return how many files are no films, and the first of them."""
    verb = "file that is no film was" if len(sources) == 1 else "files that are no films were"
    named = ", ".join(sources[:NAMED])
    more = len(sources) - NAMED
    return f"{len(sources)} {verb} passed over: {named}{f' and {more} more' if more > 0 else ''}."
