"""A folder of films, one after the other: found, scored, and written down as they come."""

import csv
import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cxr_app import intake
from cxr_app.errors import SettingsError
from cxr_app.outcome import Outcome
from cxr_app.scoring import Examined, Scorer
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)

COLUMNS = (
    "source",
    "sha256",
    "state",
    "reason",
    "pneumonia_probability",
    "bacterial_probability",
    "viral_probability",
    "flagged",
    "priority",
    "model_version",
    "sop_instance_uid",
    "accession_number",
    "view_position",
)
"""Of ``results.csv``, in this order."""

FILM_SUFFIXES = {".dcm", ".dicom", ".jpg", ".jpeg", ".png"}
SNIFFED_BYTES = 4096
BATCH = 8
"""Films in one forward pass; more gain little on a CPU, and each waits for the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder; `source` is its path below that folder."""

    path: Path
    source: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A file of the folder and what became of it."""

    found: Found
    outcome: Outcome


def find_films(folder: Path) -> Iterator[Found]:
    """Find films at any depth: by content, and by name so that a broken film is not lost.

    Links to folders are not followed, so a loop of links ends. A folder that cannot be opened is
    named in the log and left out.
    """
    walked = os.walk(folder, onerror=lambda error: logger.warning("Left out: %s", error))
    for parent, folders, names in walked:
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and _may_be_film(path):
                yield Found(path, str(path.relative_to(folder)))


def _may_be_film(path: Path) -> bool:
    """Say whether a file claims to be a film, or begins like one."""
    if path.suffix.lower() in FILM_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return intake.sniff(file.read(SNIFFED_BYTES)) is not None
    except OSError:
        return False


def score(found: Iterable[Found], scorer: Scorer, *, workers: int) -> Iterator[Scored]:
    """Score files in their order; reading and decoding run ahead of the network.

    Never more than a few batches are in memory, however many files there are.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        ahead: deque[tuple[Found, Future[Examined]]] = deque()
        for film in found:
            ahead.append((film, pool.submit(_examine, film, scorer)))
            if len(ahead) >= 2 * BATCH:
                yield from _score_batch(ahead, scorer)
        while ahead:
            yield from _score_batch(ahead, scorer)


def _examine(found: Found, scorer: Scorer) -> Examined:
    """Read and prepare one file; one that has vanished becomes an unreadable one."""
    try:
        data = found.path.read_bytes()
    except OSError as error:
        return scorer.unreadable(f"The file cannot be read: {error.strerror}.")
    return scorer.examine(data)


def _score_batch(ahead: deque[tuple[Found, Future[Examined]]], scorer: Scorer) -> Iterator[Scored]:
    """Take the oldest batch and score it."""
    batch = [ahead.popleft() for _ in range(min(BATCH, len(ahead)))]
    outcomes = scorer.score_all([examined.result() for _, examined in batch])
    for (film, _), outcome in zip(batch, outcomes, strict=True):
        yield Scored(film, outcome)


def enter(worklist: Worklist, scored: Scored) -> None:
    """Put a scored file of the folder into the worklist, where it lies."""
    if scored.outcome.sha256:
        worklist.receive(scored.outcome.sha256, scored.found.source, scored.found.path.resolve())
        worklist.record(scored.outcome)


class Results:
    """``results.csv`` while it grows: each row is in the file as soon as it is written.

    Parameters
    ----------
    path
        The file. One that an earlier run began is continued.
    model_version
        Rows of another version are of another run and stop this one.

    Raises
    ------
    SettingsError
        If the file is something else, or of another model.
    """

    def __init__(self, path: Path, model_version: str) -> None:
        self.done = _read_done(path, model_version)
        self._file = _open(path)
        self._writer = csv.writer(self._file)
        if not self.done and path.stat().st_size == 0:
            self._writer.writerow(COLUMNS)

    def write(self, scored: Scored) -> None:
        """Add one row."""
        self._writer.writerow([_harmless(cell) for cell in _row(scored)])
        self._file.flush()
        self.done.add(scored.found.source)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _open(path: Path) -> TextIO:
    """Open to append; names that are no legal text survive as they are."""
    return path.open("a", newline="", encoding="utf-8", errors="surrogateescape")


def _read_done(path: Path, model_version: str) -> set[str]:
    """Read which files an interrupted run has finished, and cut off a row it was killed in."""
    if not path.exists() or path.stat().st_size == 0:
        return set()
    _cut_torn_row(path)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise SettingsError(
                f"{path} is not a results file of this program. Give another --out."
            )
        rows = list(reader)
    others = {row["model_version"] for row in rows} - {"", model_version}
    if others:
        raise SettingsError(
            f"{path} holds results of {', '.join(sorted(others))}; the model in use is "
            f"{model_version}. Give another --out."
        )
    return {_as_written(row["source"]) for row in rows}


def _cut_torn_row(path: Path) -> None:
    """Remove what follows the last line end: the start of a row that was never finished."""
    with path.open("rb+") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def _row(scored: Scored) -> list[str]:
    """Put a result into the columns of the contract."""
    outcome, prediction, header = scored.outcome, scored.outcome.prediction, scored.outcome.header
    numbers = ["", "", ""]
    if prediction is not None:
        numbers = [
            f"{prediction.pneumonia_probability:.6f}",
            f"{prediction.bacterial_probability:.6f}",
            f"{prediction.viral_probability:.6f}",
        ]
    return [
        scored.found.source,
        outcome.sha256,
        outcome.state.value,
        outcome.reason,
        *numbers,
        "" if outcome.flagged is None else str(outcome.flagged).lower(),
        outcome.priority.value,
        prediction.model_version if prediction else "",
        header.sop_instance_uid if header else "",
        header.accession_number if header else "",
        header.view_position if header else "",
    ]


def _harmless(cell: str) -> str:
    """Quote what a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "'")) else cell


def _as_written(cell: str) -> str:
    """Undo `_harmless`."""
    return cell.removeprefix("'")
