"""Progress of a retraining, in a file that the page reads."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cxr_app.progress import Progress
from training.fit.resume_state import EpochRecords

REPORT_SECONDS = 1.0


class RetrainProgress:
    """Writes the progress of a retraining.

    Parameters
    ----------
    path
        The file of `Progress`; None for no file.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._progress = Progress()
        self._reported_at = 0.0

    def on_read(self, films: int, of: int) -> None:
        """Report the number of films read so far, at most once a second."""
        if films < of and time.monotonic() - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = time.monotonic()
        self._write(replace(self._progress, counts={"reading": films, "films": of}))

    def start(self, epochs: int, counts: Mapping[str, int], done: int = 0) -> None:
        """Report the number of epochs, those done before, and the number of films by use."""
        self._write(replace(self._progress, done=done, total=epochs, counts=dict(counts)))

    def on_epoch(self, records: EpochRecords) -> None:
        """Report the number of epochs done, and the speed of the last one."""
        rate = 1 / max(records[-1]["seconds"], 0.1) if records else 0.0
        self._write(replace(self._progress, done=len(records), rate=round(rate, 6)))

    def on_comparison(self) -> None:
        """Report that the challenger is being compared."""
        self._write(replace(self._progress, counts={**self._progress.counts, "comparing": 1}))

    def end(self, status: int, message: str = "") -> None:
        """Report the exit status, and the reason of a failure."""
        self._write(replace(self._progress, exit_status=status, message=message))

    def _write(self, progress: Progress) -> None:
        self._progress = progress
        if self._path is not None:
            with suppress(OSError):  # the run itself reports a full disk
                progress.write(self._path)
