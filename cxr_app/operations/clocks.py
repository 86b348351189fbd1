"""The clocks of an installation: this computer's, the database's, and that of the disk."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cxr_app.errors import WorklistError
from cxr_app.operations.diagnosis import Diagnosis, checked, looked_at
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.database import server_clock

TOLERANCE = timedelta(minutes=1)
SECONDS = 10


def examine_clocks(settings: Settings, worklist: Worklist) -> Iterator[Diagnosis]:
    """Yield the result for each clock that can be read."""
    yield checked("clock", lambda: _sweeps(settings, worklist))
    if (is_set := _is_synchronised()) is not None:
        problem = (
            "The clock of this computer is not synchronised. Set up chrony or systemd-timesyncd "
            "with the time server of the site; waiting times and the audit depend on it."
        )
        yield Diagnosis("time server", "" if is_set else problem)
    if settings.worklist_url.startswith("postgres"):
        yield looked_at("clock of the database", lambda: _database(settings))
    if settings.data_dir.is_dir():
        yield looked_at("clock of the disk", lambda: _disk(settings))


def _sweeps(settings: Settings, worklist: Worklist) -> str:
    status = Retention(settings, worklist).status()
    if status is not None and status.has_stopped:
        return (
            f"It shows {status.now:%Y-%m-%d %H:%M} UTC, more than a day from the last sweep of "
            "films, and no film is deleted. If it is right, confirm it on the Backlog page or with "
            "python -m cxr_app.admin confirm-clock."
        )
    return ""


def _is_synchronised() -> bool | None:
    """Return whether the system synchronises its clock; None if it cannot be asked."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    try:
        told = subprocess.run(  # noqa: S603 - the system's own program, without arguments of others
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None  # within a container, for one
    return {"yes": True, "no": False}.get(told)


def _database(settings: Settings) -> str:
    before = datetime.now(UTC)
    there = server_clock(settings.worklist_url)
    return _compared("the database's server", there - before - (datetime.now(UTC) - before) / 2)


def _disk(settings: Settings) -> str:
    """Compare with the time that the disk gives a new file: on a network drive, its server's."""
    descriptor, path = tempfile.mkstemp(prefix=".clock-", dir=settings.data_dir)
    try:
        os.write(descriptor, b"1")
        os.fsync(descriptor)
        return _compared(
            "the disk's server", timedelta(seconds=os.fstat(descriptor).st_mtime - time.time())
        )
    finally:
        os.close(descriptor)
        os.unlink(path)  # noqa: PTH108 - mkstemp gives a string


def _compared(whose: str, ahead: timedelta) -> str:
    seconds = ahead.total_seconds()
    if abs(ahead) > TOLERANCE:
        word = "ahead of" if seconds > 0 else "behind"
        raise WorklistError(
            f"The clock of {whose} is {abs(seconds):.0f} s {word} this computer's. Let both follow "
            "the same time server."
        )
    return f"{abs(seconds):.1f} s apart"
