"""Files that a backlog could not score, read from its ``results.csv`` while it still grows."""

import csv
import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from cxr_app.jobs.csv_cells import text_of
from cxr_app.outcome import ScoringState

READ_AT_ONCE = 2**22


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file of the folder without a probability, and the reason.

    Parameters
    ----------
    source
        Path below the folder.
    sha256
        Of the content; empty if the file could not be opened.
    """

    source: str
    sha256: str
    state: ScoringState
    reason: str


class RefusalReader:
    """Follows one results file; each call reads only new rows. Safe for many threads.

    Parameters
    ----------
    path
        The file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reset(0)

    def refusals(self) -> list[Refusal]:
        """Return the files that are refused now, in the order of the rows."""
        with self._lock:
            try:
                self._read_new_rows()
            except FileNotFoundError:
                self._reset(0)
            return list(self._refused.values())

    def _reset(self, inode: int) -> None:
        self._inode = inode
        self._offset = 0
        self._columns: list[str] = []
        self._refused: dict[str, Refusal] = {}

    def _read_new_rows(self) -> None:
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._offset:
                self._reset(status.st_ino)  # a resumed run may rewrite the file
            file.seek(self._offset)
            pending = b""
            while chunk := file.read(READ_AT_ONCE):
                whole = _whole_rows(pending + chunk)
                self._add_rows(whole)
                self._offset += len(whole)
                pending = (pending + chunk)[len(whole) :]

    def _add_rows(self, content: bytes) -> None:
        text = content.decode("utf-8", "surrogateescape")
        for row in csv.reader(io.StringIO(text, newline="")):
            if not self._columns:
                self._columns = row
            elif len(row) == len(self._columns):
                self._update(dict(zip(self._columns, row, strict=True)))

    def _update(self, row: dict[str, str]) -> None:
        """Add a refusal, or remove it if the file was scored since."""
        source = text_of(row["source"])
        if row["state"] == ScoringState.SCORED.value:
            self._refused.pop(source, None)
            return
        state = ScoringState(row["state"])
        self._refused[source] = Refusal(source, row["sha256"], state, text_of(row["reason"]))


def _whole_rows(content: bytes) -> bytes:
    """Return the complete rows; a line break within quotes ends none."""
    end = len(content)
    while (end := content.rfind(b"\n", 0, end)) >= 0:
        if content.count(b'"', 0, end) % 2 == 0:
            return content[: end + 1]
    return b""
