"""Errors of the worklist's database, translated into advice."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cxr_app.errors import WorklistAwayError, WorklistError

logger = logging.getLogger(__name__)

# By the first letters of SQLite's error name or of PostgreSQL's SQLSTATE.
_ADVICE = {
    "SQLITE_BUSY": "it is locked by another program. Close what holds it, then try again",
    "SQLITE_LOCKED": "it is locked by another program. Close what holds it, then try again",
    "SQLITE_FULL": "the disk is full. Make room, then try again; nothing acknowledged is lost",
    "SQLITE_READONLY": "it is read-only. Let this user write to the file and its folder",
    "SQLITE_NOTADB": "the file is not a database. Move it away or restore it from a backup",
    "SQLITE_CORRUPT": "the file is damaged. Stop the program and restore it from a backup",
    "SQLITE_CANTOPEN": "the file cannot be opened. Check its folder, its owner and free handles",
    "SQLITE_IOERR": "the disk reports errors or is full. Check the disk, then try again",
    "SQLITE_CONSTRAINT": "it does not allow this change. Please report this as a fault",
    "08004": "the server refuses the connection; its log says why. Check the user, password and "
    "database in CXR_DATABASE_URL",
    "08": "the server cannot be reached. Check that it runs and that CXR_DATABASE_URL names it",
    "57P": "the server is stopping or starting. Try again in a moment",
    "28": "the server refuses this user. Check the user and password in CXR_DATABASE_URL",
    "3D000": "the server has no such database. Create it, or correct CXR_DATABASE_URL",
    "42501": "this user may not do this there. Grant it the rights to the worklist's tables",
    "53100": "the server's disk is full. Make room, then try again; nothing acknowledged is lost",
    "53300": "the server has no connection left. Close other programs or raise max_connections",
    "53": "the server is short of memory or another resource. Free some, then try again",
    "57014": "a statement took longer than the server allows, or was cancelled there. Try again; "
    "if it comes back, raise statement_timeout for this user",
    "25P0": "the server ended a transaction that took longer than it allows. Try again; if it "
    "comes back, raise idle_in_transaction_session_timeout and transaction_timeout for this user",
    "42P01": "its tables are gone. Stop the program and restore the database from a backup",
    "25006": "it is read-only. Connect to the server that accepts changes",
    "40": "another program changed the same film at the same time. Try again",
    "55P03": "it is locked by another program. Close what holds it, then try again",
    "23": "it does not allow this change. Please report this as a fault",
}
_UNKNOWN = "it refused. Check the database and its disk, then try again"

_AWAY = (
    *("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40", "08", "57P", "57014", "53", "25P0"),
    "25006",  # a standby that is not promoted yet
)
"""What may pass by itself: restarts, failovers, locks, limits, and many connections."""

UNREACHABLE, REFUSED, NO_LOGIN = "08000", "08004", "28000"

_FROM_SERVER = re.compile(r": [^\W\d_]+:  (.*)")
"""What a server says when it refuses a connection: after its severity come two spaces.

The words depend on the server's language, this form does not.
"""
_REFUSALS = {
    r'role ".*" does not exist': NO_LOGIN,
    "is not permitted to log in": NO_LOGIN,
    "pg_hba.conf": NO_LOGIN,
    "authentication failed": NO_LOGIN,
    r'database ".*" does not exist': "3D000",
    "too many (clients|connections)": "53300",
    "connection slots are reserved": "53300",
    "database system is": "57P03",
}
"""SQLSTATE by what an English server says; `REFUSED` stands for everything else."""


def _code(error: DBAPIError) -> str | None:
    """Return the database's error code; None for a bug, which never reached the database."""
    cause = error.orig
    if named := getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None):
        return str(named)
    if isinstance(error, OperationalError):
        return connection_code(cause)
    return UNREACHABLE if error.connection_invalidated else None


def connection_code(error: BaseException | None) -> str:
    """Return the SQLSTATE of a failed connection; libpq does not hand on what the server sent.

    Parameters
    ----------
    error
        psycopg's.
    """
    if getattr(getattr(error, "pgconn", None), "needs_password", False):
        return NO_LOGIN
    said = _FROM_SERVER.search(str(error))
    if said is None:
        return UNREACHABLE
    found = (code for words, code in _REFUSALS.items() if re.search(words, said[1]))
    return next(found, REFUSED)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise a `WorklistError` with advice in place of a database's error.

    The original is not chained: its text repeats the values of the row, and so patient data.
    """
    try:
        yield
    except PoolTimeoutError:
        raise WorklistAwayError(
            "The worklist is busy: no connection to its database became free. Try again."
        ) from None
    except DBAPIError as error:
        code = _code(error)
        if code is None:
            raise
        logger.error("the worklist's database reports %s", code)  # noqa: TRY400 - see above
        advice = next((_ADVICE[key] for key in _ADVICE if code.startswith(key)), _UNKNOWN)
        passes = code.startswith(_AWAY) and code != REFUSED
        kind = WorklistAwayError if passes else WorklistError
        raise kind(f"The worklist's database is in trouble ({code}): {advice}.") from None
