"""``results.csv`` while it grows: no row twice, written at once, and safe in a spreadsheet."""

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
from cxr_app.model import screening
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
    "extent_score",
    "main_zone",
    "zones",
)
"""Columns of ``results.csv``, in this order."""
FIRST_COLUMNS = COLUMNS[:13]
"""Columns of a file that was begun before the later ones were added."""

SAVE_SECONDS = 1.0
"""How often written rows are also forced onto the disk."""
STATES = {state.value for state in ScoringState}

ResultRow = list[str]


class Results:
    """The results file of one run, open in one process only.

    A file of an earlier run is continued. Rows that are incomplete, repeated or without SHA-256
    (the film could not be opened) are removed first: such films are due again. Rows of a file that
    was begun with fewer columns are kept, with the later columns empty.

    Parameters
    ----------
    path
        The file; created if it does not exist.
    model_version
        If the file has rows of another version, it is refused.
    retry_failed
        Whether films that FAILED in the earlier run are due again.

    Attributes
    ----------
    earlier
        Number of valid rows of the earlier run by state, and of those ``flagged``.
    written_at
        When the earlier run last wrote, in seconds since 1970.

    Raises
    ------
    SettingsError
        If the file is not a results file, belongs to another model, is in use by another run or
        cannot be written. It is then left as it is.
    """

    def __init__(self, path: Path, model_version: str, *, retry_failed: bool = False) -> None:
        self._path = path.resolve()
        self._retries = {ScoringState.FAILED.value} if retry_failed else set()
        self._done: dict[str, frozenset[str]] = {}
        self.earlier: Counter[str] = Counter()
        self.written_at = 0.0
        self._saved = time.monotonic()
        try:
            self._file = _open_locked(self._path)
            try:
                self._read_earlier_rows(model_version)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, rows: Iterable[tuple[str, Outcome]]) -> None:
        """Append the rows of some sources in one write, except rows that the file already has.

        Raises
        ------
        SettingsError
            If the disk is full or gone. The file then ends with a complete row.
        """
        new = list(self._new(rows))
        try:
            self._append(_as_bytes(as_row(*row) for row in new))
            for source, outcome in new:
                self._remember(source, outcome.sha256)
            if time.monotonic() - self._saved > SAVE_SECONDS:
                os.fsync(self._file)
                self._saved = time.monotonic()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def _new(self, rows: Iterable[tuple[str, Outcome]]) -> Iterator[tuple[str, Outcome]]:
        """Yield the rows that the file does not have, each once; all of files never read."""
        written: set[tuple[str, str]] = set()
        for source, outcome in rows:
            row = source, outcome.sha256
            if outcome.sha256 not in self.contents(source) and row not in written:
                yield source, outcome
                written |= {row} if outcome.sha256 else set()

    def close(self) -> None:
        """Force everything onto the disk and close the file."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        finally:
            os.close(self._file)

    def contents(self, source: str) -> Set[str]:
        """Return the SHA-256 of every content of a source that has a row."""
        return self._done.get(source, frozenset())

    def _remember(self, source: str, sha256: str) -> None:
        """Remember that a content has its row; a file that was never read has no SHA-256."""
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

    def _read_earlier_rows(self, model_version: str) -> None:
        """Read the rows of an earlier run, and remove those that do not count."""
        status = os.fstat(self._file)
        if status.st_size == 0:
            self._append(_as_bytes([list(COLUMNS)]))
            return
        self.written_at = status.st_mtime
        rows = list(_complete_rows(self._path))
        _check(self._path, rows, model_version)
        width = len(rows[0]) if rows else len(COLUMNS)
        kept = [
            row + [""] * (len(COLUMNS) - width)
            for row in rows[1:]
            if len(row) == width and self._is_new_and_final(row)
        ]
        whole = _as_bytes([list(COLUMNS), *kept])
        if len(whole) != status.st_size:
            self._replace(whole)

    def _is_new_and_final(self, row: ResultRow) -> bool:
        """Check whether a row counts, and remember it; one without SHA-256 was never read."""
        source, sha256, state, flagged = text_of(row[0]), row[1], row[2], row[7]
        if state not in STATES - self._retries or not sha256 or sha256 in self.contents(source):
            return False
        self._remember(source, sha256)
        self.earlier.update([state, "flagged"] if flagged == "true" else [state])
        return True

    def _replace(self, content: bytes) -> None:
        """Replace the file atomically, without giving up the lock.

        Not by `cxr_app.atomic_file`: the new file must be locked before it takes the name, and
        stays open.
        """
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
    """Return an outcome as a row of ``results.csv``, safe in a spreadsheet."""
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
        *_extent_cells(outcome),
    ]
    # Only the source must be complete; texts of a header may have any length.
    return [as_cell(source), *(as_cell(text)[:MAX_CELL_LENGTH] for text in texts)]


def _extent_cells(outcome: Outcome) -> tuple[str, str, str]:
    """Return the extent score, the main zone and the share of every zone that the heat covers.

    The side is unknown on a film that may be mirrored.
    """
    extent = outcome.prediction.extent if outcome.prediction else None
    if extent is None:
        return ("", "", "")
    score = str(extent.score)
    if screening.MIRRORED in outcome.remarks:
        return (score, extent.main_zone.partition(" ")[2], "")
    zones = "; ".join(f"{name} {share:.2f}" for name, share in extent.zones.items())
    return (score, extent.main_zone, zones)


def _open_locked(path: Path) -> int:
    """Open the file and lock it against other runs until it is closed."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise SettingsError(
                f"{path} is being written by another run. Wait for its end, or use another --out."
            ) from None
        except FileNotFoundError:
            pass
        os.close(descriptor)  # the file was replaced or removed in between


def _complete_rows(path: Path) -> Iterator[ResultRow]:
    """Yield the complete rows; a line break within quotes does not end a row."""
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
    """Read some rows; text that is not CSV gives one row without cells."""
    text = content.decode("utf-8", "surrogateescape")
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return [[]]


def _check(path: Path, rows: Sequence[ResultRow], model_version: str) -> None:
    """Refuse a file that is not a results file, or belongs to another model."""
    known = [list(COLUMNS), list(FIRST_COLUMNS)]
    heads = [_as_bytes([columns]) for columns in known]
    with path.open("rb") as file:
        begins = file.read(len(heads[0]))
    if not (rows and rows[0] in known) and not any(head.startswith(begins) for head in heads):
        raise SettingsError(f"{path} is not a results file of this program. Use another --out.")
    place = COLUMNS.index("model_version")
    others = {row[place] for row in rows[1:] if len(row) == len(rows[0])} - {"", model_version}
    if others:
        raise SettingsError(
            f"{path} holds results of {', '.join(sorted(others))}; the model in use is "
            f"{model_version}. Use another --out."
        )


def _as_bytes(rows: Iterable[ResultRow]) -> bytes:
    """Return rows as the bytes of the file; file names that are not valid text are kept."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _cannot_write(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be written: {error.strerror}. Its rows are kept; "
        "make room or use another --out, then run the same command again."
    )
