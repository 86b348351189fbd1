"""The audit on disk: a SQLite file of its own to which events are only added, each with a hash.

The hash of an event covers the one before it, so that no event can be changed, removed or put in
between without breaking the chain from there on. Whoever can write the file could write a whole new
chain: note its head elsewhere (`python -m cxr_app.admin audit verify` prints it; backups and the
syslog server have it too).
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome, AuditRecord
from cxr_app.errors import AuditError
from cxr_app.film_store import make_private_folder

FILE = "audit.sqlite"
ORIGIN = "0" * 64
"""Digest before the first event."""
LOCK_SECONDS = 30.0
COLUMNS = "happened_at, kind, who, address, outcome, film, patient, patient_id, detail"
INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  number INTEGER PRIMARY KEY, happened_at INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
  address TEXT NOT NULL, outcome TEXT NOT NULL, film TEXT NOT NULL, patient TEXT NOT NULL,
  patient_id TEXT NOT NULL, detail TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_patient ON event (patient) WHERE patient <> '';
CREATE INDEX IF NOT EXISTS event_who ON event (who);
CREATE INDEX IF NOT EXISTS event_happened ON event (happened_at);
CREATE TRIGGER IF NOT EXISTS event_stays BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER IF NOT EXISTS event_kept BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
"""
NAMES = """
WITH RECURSIVE known (name) AS (
  SELECT min(who) FROM event
  UNION ALL
  SELECT (SELECT min(who) FROM event WHERE who > name) FROM known WHERE name IS NOT NULL
)
SELECT name FROM known WHERE name IS NOT NULL
"""
"""All names, one look-up in the index each: DISTINCT would read every event."""
OF_PATIENT = """number IN (
  WITH mark AS (SELECT value FROM json_each(?)) SELECT number FROM event WHERE patient <> ''
  AND (patient IN mark OR substr(patient, 1, instr(patient || '.', '.') - 1) IN mark)
)"""
"""Events that have one of many marks, whole or up to the dot."""
EventValues = tuple[int, str, str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are wanted; an empty value wants any.

    Parameters
    ----------
    who
        A whole name, whatever its capitals.
    patient
        Marks of which an event has one, whole or up to the dot.
    """

    since: datetime | None = None
    until: datetime | None = None
    kind: AuditKind | None = None
    outcome: AuditOutcome | None = None
    who: str = ""
    patient: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChainState:
    """What a check of the chain found.

    Parameters
    ----------
    events
        Number of events that are whole, from the first on.
    head
        Digest of the last of them.
    fault
        What is wrong with the next one; empty if the chain is whole.
    """

    events: int
    head: str
    fault: str = ""


class AuditStore:
    """The events of a site. Safe for many threads and processes.

    Parameters
    ----------
    folder
        Created if necessary, private to the user.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._appending = threading.Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None
        with _translated(self.path):
            make_private_folder(folder)
            self.path.touch(mode=0o600)
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Add events in one transaction; when this returns, they are on the disk.

        Raises
        ------
        AuditError
            If they cannot be written; none is then.
        """
        with _translated(self.path), self._appending:
            connection = self._writer()
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(INSERT, _chained(self._last(connection), events))
                connection.execute("COMMIT")
            except BaseException:
                self._close_writer()  # and so roll back
                raise

    def close(self) -> None:
        """Close what `append` keeps open; it opens it again."""
        with self._appending:
            self._close_writer()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile.

        Raises
        ------
        AuditError
            If the file cannot be used.
        """
        with _translated(self.path), closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    def head(self) -> tuple[int, str]:
        """Return number and digest of the last event; 0 and zeros if there is none."""
        with _translated(self.path), closing(self._connect()) as connection:
            return self._last(connection)

    def after(self, number: int, limit: int) -> list[AuditRecord]:
        """Return the events after one, oldest first."""
        query = f"SELECT number, {COLUMNS}, digest FROM event WHERE number > ? "  # noqa: S608
        return self._records(query + "ORDER BY number LIMIT ?", (number, limit))

    def newest(
        self, wanted: AuditFilter, limit: int = 100, before: int | None = None
    ) -> list[AuditRecord]:
        """Return the events that are wanted, newest first, before a number."""
        names = self._spellings(wanted.who) if wanted.who else []
        conditions: dict[str, object] = {
            "happened_at >= ?": wanted.since and _micros(wanted.since),
            "happened_at < ?": wanted.until and _micros(wanted.until),
            "kind = ?": wanted.kind,
            "outcome = ?": wanted.outcome,
            OF_PATIENT: json.dumps(sorted(wanted.patient)) if wanted.patient else None,
            "number < ?": before,
        }
        given = {text: value for text, value in conditions.items() if value not in (None, "")}
        texts = [*given, *([f"who IN ({', '.join('?' * len(names))})"] if wanted.who else [])]
        where = f"WHERE {' AND '.join(texts)} " if texts else ""
        query = f"SELECT number, {COLUMNS}, digest FROM event {where}"  # noqa: S608
        values = (*given.values(), *names, limit)
        return self._records(query + "ORDER BY number DESC LIMIT ?", values)

    def _spellings(self, name: str) -> list[str]:
        """Return the names that differ from one in capitals only, as they were recorded."""
        with _translated(self.path), closing(self._connect()) as connection:
            names = [str(row[0]) for row in connection.execute(NAMES)]
        return [each for each in names if each.casefold() == name.casefold()]

    def verify(self, noted: tuple[int, str] | None = None) -> ChainState:
        """Read every event and check the chain.

        Parameters
        ----------
        noted
            Number and digest of an event, as noted elsewhere earlier.

        Raises
        ------
        AuditError
            If the file cannot be read.
        """
        query = f"SELECT number, {COLUMNS}, digest FROM event ORDER BY number"  # noqa: S608
        count, head, noted_digest = 0, ORIGIN, ""
        with _translated(self.path), closing(self._connect()) as connection:
            for number, *row, digest in connection.execute(query):
                if number != count + 1:
                    return ChainState(count, head, f"Event {count + 1} is missing.")
                if _digest(head, number, tuple(row)) != digest:
                    return ChainState(count, head, f"Event {number} was changed.")
                count, head = number, digest
                if noted is not None and number == noted[0]:
                    noted_digest = digest
        if noted is not None and noted_digest != noted[1]:
            fault = f"Event {noted[0]} is missing or is not the one that was noted."
            return ChainState(count, head, fault)
        return ChainState(count, head)

    def copy(self, path: Path) -> None:
        """Write a copy of the audit as of now to a new file.

        Raises
        ------
        AuditError
            If it cannot be read or written.
        """
        with _translated(path):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            with closing(self._connect()) as own, closing(sqlite3.connect(path)) as target:
                own.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")

    def _records(self, query: str, values: Iterable[object]) -> list[AuditRecord]:
        with _translated(self.path), closing(self._connect()) as connection:
            rows = connection.execute(query, tuple(values)).fetchall()
        return [AuditRecord(number, _event(tuple(row)), digest) for number, *row, digest in rows]

    @staticmethod
    def _last(connection: sqlite3.Connection) -> tuple[int, str]:
        query = "SELECT number, digest FROM event ORDER BY number DESC LIMIT 1"
        found: tuple[int, str] | None = connection.execute(query).fetchone()
        return found or (0, ORIGIN)

    def _writer(self) -> sqlite3.Connection:
        """Return a connection that stays open: the last one to close writes the whole log again.

        A file that was replaced meanwhile, as by a restoration, is opened anew.
        """
        inode = self.path.stat().st_ino
        if self._opened is None or self._opened[0] != inode:
            self._close_writer()
            self._opened = inode, self._connect()
        return self._opened[1]

    def _close_writer(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection


def stored_head(path: Path) -> tuple[int, str]:
    """Return the head of an audit whose file is left as it is, such as one of a backup.

    Raises
    ------
    AuditError
        If it cannot be read.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    with _translated(path), closing(sqlite3.connect(address, uri=True)) as connection:
        return AuditStore._last(connection)


def _chained(last: tuple[int, str], events: Iterable[AuditEvent]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of events that follow the last one."""
    number, digest = last
    for event in events:
        number += 1
        row = _row(event)
        digest = _digest(digest, number, row)
        yield number, *row, digest


def _row(event: AuditEvent) -> EventValues:
    return (
        _micros(event.happened_at),
        event.kind.value,
        _storable(event.who),
        _storable(event.address),
        event.outcome.value,
        _storable(event.film),
        _storable(event.patient),
        _storable(event.patient_id),
        _storable(event.detail),
    )


def _storable(text: str) -> str:
    """Return a text without what UTF-8 cannot hold: one such event would stop all others."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _event(row: tuple[object, ...]) -> AuditEvent:
    moment, kind, who, address, outcome, *rest = row
    return AuditEvent(
        datetime.fromtimestamp(int(str(moment)) / 1e6, UTC),
        AuditKind(str(kind)),
        str(who),
        str(address),
        AuditOutcome(str(outcome)),
        *map(str, rest),
    )


def _digest(previous: str, number: int, row: tuple[object, ...]) -> str:
    content = json.dumps([previous, number, *row], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode("ascii")).hexdigest()


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Translate faults of the disk and of SQLite."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "sqlite_errorname", "damaged")
        raise AuditError(
            f"The audit {path} cannot be used: {reason}. Check the disk and its rights."
        ) from error
