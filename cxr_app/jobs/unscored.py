"""What a backlog could not score, read from its ``results.csv`` while that still grows."""

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
    """A file of the folder that has no probability, and why.

    Parameters
    ----------
    source
        Its path below the folder.
    sha256
        Of its content; empty where it could not even be opened.
    """

    source: str
    sha256: str
    state: ScoringState
    reason: str


class RefusalReader:
    """Follows one results file; each look reads only what is new. Safe for many threads.

    Parameters
    ----------
    path
        The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._begin_anew(0)

    def refusals(self) -> list[Refusal]:
        """Give what stands refused now, in the order in which it was written."""
        with self._lock:
            try:
                self._read_on()
            except FileNotFoundError:
                self._begin_anew(0)
            return list(self._refused.values())

    def _begin_anew(self, inode: int) -> None:
        self._inode = inode
        self._offset = 0
        self._columns: list[str] = []
        self._refused: dict[str, Refusal] = {}

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._offset:
                self._begin_anew(status.st_ino)  # a run that goes on may put the file in order
            file.seek(self._offset)
            pending = b""
            while chunk := file.read(READ_AT_ONCE):
                whole = _whole_rows(pending + chunk)
                self._take(whole)
                self._offset += len(whole)
                pending = (pending + chunk)[len(whole) :]

    def _take(self, content: bytes) -> None:
        text = content.decode("utf-8", "surrogateescape")
        for row in csv.reader(io.StringIO(text, newline="")):
            if not self._columns:
                self._columns = row
            elif len(row) == len(self._columns):
                self._note(dict(zip(self._columns, row, strict=True)))

    def _note(self, row: dict[str, str]) -> None:
        """Keep a refusal; a file that was scored after all is none."""
        source = text_of(row["source"])
        if row["state"] == ScoringState.SCORED.value:
            self._refused.pop(source, None)
            return
        state = ScoringState(row["state"])
        self._refused[source] = Refusal(source, row["sha256"], state, text_of(row["reason"]))


def _whole_rows(content: bytes) -> bytes:
    """Cut off a row that is still being written; a line break within quotes ends none."""
    end = len(content)
    while (end := content.rfind(b"\n", 0, end)) >= 0:
        if content.count(b'"', 0, end) % 2 == 0:
            return content[: end + 1]
    return b""
