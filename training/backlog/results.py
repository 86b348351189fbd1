"""``results.csv`` while it grows: each row once, in the file at once, and safe in a spreadsheet."""

import csv
import fcntl
import io
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.jobs.csv_cells import MAX_CELL_LENGTH, as_cell, text_of
from cxr_app.outcome import Outcome, ScoringState

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

SAVE_SECONDS = 1.0
"""How often what is written is also forced onto the disk."""
STATES = {state.value for state in ScoringState}

ResultRow = list[str]


class Results:
    """The results file of one run, in the hands of one process.

    A file that an earlier run began is continued. What it was killed in, wrote twice, or could not
    even open is taken out first: such films are due again.

    Parameters
    ----------
    path
        The file; made where there is none.
    model_version
        Rows of another version are of another run and stop this one.
    retry_failed
        Whether what FAILED in the earlier run is due again.

    Attributes
    ----------
    earlier
        How many rows of the earlier run count, by state, and how many are ``flagged``.
    written_at
        When the earlier run last wrote, in seconds since 1970.

    Raises
    ------
    SettingsError
        If the file is something else, of another model, in use by another run, or cannot be
        written. It is then left as it is.
    """

    def __init__(self, path: Path, model_version: str, *, retry_failed: bool = False) -> None:
        self._path = path.resolve()
        self._retries = {ScoringState.FAILED.value} if retry_failed else set()
        self._done: dict[str, frozenset[str]] = {}
        self.earlier: Counter[str] = Counter()
        self.written_at = 0.0
        self._saved = time.monotonic()
        try:
            self._file = _open_alone(self._path)
            try:
                self._take_over(model_version)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, rows: Iterable[tuple[str, Outcome]]) -> None:
        """Add the rows of some sources, all in one stroke, but for those that have theirs.

        Raises
        ------
        SettingsError
            If the disk is full or gone. The file then ends with a whole row.
        """
        new = [row for row in rows if row[1].sha256 not in self.contents(row[0])]
        try:
            self._append(_as_bytes(as_row(*row) for row in new))
            for source, outcome in new:
                self._remember(source, outcome.sha256)
            if time.monotonic() - self._saved > SAVE_SECONDS:
                os.fsync(self._file)
                self._saved = time.monotonic()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def close(self) -> None:
        """Force everything onto the disk and let go of the file."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        finally:
            os.close(self._file)

    def contents(self, source: str) -> Set[str]:
        """Give the SHA-256 of every content of a source that has its row."""
        return self._done.get(source, frozenset())

    def _remember(self, source: str, sha256: str) -> None:
        """Keep that a content has its row; one that was never read has no SHA-256."""
        if sha256:
            self._done[source] = self._done.get(source, frozenset()) | {sha256}

    def _append(self, content: bytes) -> None:
        end = os.lseek(self._file, 0, os.SEEK_END)
        try:
            while content:
                content = content[os.write(self._file, content) :]
        except OSError:
            os.ftruncate(self._file, end)
            raise

    def _take_over(self, model_version: str) -> None:
        """Read what an earlier run has finished, and put the file in order."""
        status = os.fstat(self._file)
        if status.st_size == 0:
            self._append(_as_bytes([list(COLUMNS)]))
            return
        self.written_at = status.st_mtime
        rows = list(_whole_rows(self._path))
        _check(self._path, rows, model_version)
        kept = [row for row in rows[1:] if self._is_new_and_final(row)]
        whole = _as_bytes([list(COLUMNS), *kept])
        if len(whole) != status.st_size:
            self._replace(whole)

    def _is_new_and_final(self, row: ResultRow) -> bool:
        """Say whether a row counts, and remember it; one without SHA-256 was never read."""
        if len(row) != len(COLUMNS):
            return False
        source, sha256, state, flagged = text_of(row[0]), row[1], row[2], row[7]
        if state not in STATES - self._retries or not sha256 or sha256 in self.contents(source):
            return False
        self._remember(source, sha256)
        self.earlier.update([state, "flagged"] if flagged == "true" else [state])
        return True

    def _replace(self, content: bytes) -> None:
        """Put other content in the place of the file, in one stroke and without letting go."""
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, os.fstat(self._file).st_mode & 0o777)
            with open(descriptor, "wb", closefd=False) as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(self._path)
        except OSError:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)
            raise
        os.close(self._file)
        self._file = descriptor


def as_row(source: str, outcome: Outcome) -> ResultRow:
    """Put a result into the columns of the contract, harmless in a spreadsheet."""
    prediction, header = outcome.prediction, outcome.header
    numbers = ["", "", ""]
    if prediction is not None:
        numbers = [
            "" if number is None else f"{number:.6f}"
            for number in (
                prediction.pneumonia_probability,
                prediction.bacterial_probability,
                prediction.viral_probability,
            )
        ]
    texts = [
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
    # Only the source must come back whole; a stranger's header may hold texts without end.
    return [as_cell(source), *(as_cell(text)[:MAX_CELL_LENGTH] for text in texts)]


def _open_alone(path: Path) -> int:
    """Open the file and keep every other run out of it until it is closed."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise SettingsError(
                f"{path} is being written by another run. Wait for its end, or give another --out."
            ) from None
        except FileNotFoundError:
            pass
        os.close(descriptor)  # the file was replaced or removed in between


def _whole_rows(path: Path) -> Iterator[ResultRow]:
    """Read the rows that were written to their end; a line break within quotes ends none."""
    pending: list[bytes] = []
    quotes = 0
    with path.open("rb") as file:
        for line in file:
            pending.append(line)
            quotes += line.count(b'"')
            if line.endswith(b"\n") and quotes % 2 == 0:
                yield from _read_rows(b"".join(pending))
                pending.clear()


def _read_rows(content: bytes) -> list[ResultRow]:
    """Read some rows; what cannot be rows of ours is one without cells."""
    text = content.decode("utf-8", "surrogateescape")
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return [[]]


def _check(path: Path, rows: Sequence[ResultRow], model_version: str) -> None:
    """Refuse a file that is none of ours, or of another model."""
    with path.open("rb") as file:
        begins = file.read(len(_as_bytes([list(COLUMNS)])))
    if rows[:1] != [list(COLUMNS)] and not _as_bytes([list(COLUMNS)]).startswith(begins):
        raise SettingsError(f"{path} is not a results file of this program. Give another --out.")
    place = COLUMNS.index("model_version")
    others = {row[place] for row in rows[1:] if len(row) == len(COLUMNS)} - {"", model_version}
    if others:
        raise SettingsError(
            f"{path} holds results of {', '.join(sorted(others))}; the model in use is "
            f"{model_version}. Give another --out."
        )


def _as_bytes(rows: Iterable[ResultRow]) -> bytes:
    """Write rows as the file holds them; names that are no legal text survive as they are."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _cannot_write(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be written: {error.strerror}. What is in it stays; "
        "make room or give another --out, then run the same command again."
    )
