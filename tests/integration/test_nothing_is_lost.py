"""The table of faults: what was acknowledged is there afterwards, and the message says what to do.

Each fault befalls a process that takes films in as the server does. A first process takes some, a
second meets the fault, a third finds the fault mended and takes all of them once more.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from cxr_app.film_store import FilmStore
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist

PROJECT = Path(__file__).resolve().parents[2]
FIRST, THEN = range(6), range(6, 12)
LARGE = 300_000
"""Bytes of a film: more than `FEW`, so that it meets a limit."""
FEW = 100_000
DISK = 16_000_000

TAKE = """
import sys
import time
from cxr_app.errors import CxrError
from cxr_app.film_store import FilmStore, read_film
from cxr_app.settings import Settings
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query, Worklist
from tests.integration.test_nothing_is_lost import film

LOCK_SECONDS = 1

class Sent:
    def __init__(self, number):
        self.name = f"{number}.dcm"
        self.getvalue = lambda: film(number)

class Deaf:
    def wake(self):
        pass

def say(*words):
    print(*words, flush=True)

try:
    settings = Settings.read()
    worklist = Worklist.open(settings.worklist_url, lock_timeout=LOCK_SECONDS)
    for entry in worklist.page(Query(), limit=100):
        try:
            read_film(entry.path, entry.sha256)
        except CxrError as error:
            say("problem", error)
    for number in map(int, sys.argv[1:]):
        queue = UploadQueue(worklist, FilmStore(settings.films_dir), Deaf())
        queue.take([Sent(number)])
        while queue._thread and not queue.status().problem:  # it tries again by itself
            time.sleep(0.01)
        now = queue.status()
        say("problem", now.problem) if now.problem else say("acknowledged", number)
except CxrError as error:
    say("problem", error)
"""


def film(number: int) -> bytes:
    """Make up a film, the same one each time."""
    return b"%d " % number * (LARGE // len(b"%d " % number))


@dataclass
class Place:
    """A data folder, and processes that take films into it."""

    settings: Settings

    @property
    def database(self) -> Path:
        return self.settings.data_dir / "worklist.sqlite"

    def take(self, numbers: range, before: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        """Start a process that takes films in; `before` stands before its command."""
        environment = {**os.environ, "CXR_DATA_DIR": str(self.settings.data_dir)}
        return subprocess.Popen(
            [*before, sys.executable, "-c", TAKE, *map(str, numbers)],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


Applied = Callable[[Place], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """What befalls a process.

    Parameters
    ----------
    says
        The message that a person gets; empty if the process cannot send any.
    applied
        Causes the fault, and repairs it as the message instructs.
    before
        Stands before the command of the process that meets it.
    small_disk
        Whether the data folder is a disk of its own.
    killed
        Whether the process is ended without warning after its first acknowledgement.
    """

    name: str
    message: str
    applied: Applied = lambda _: nullcontext()
    before: tuple[str, ...] = ()
    small_disk: bool = False
    killed: bool = False


def full(free: int) -> Applied:
    """Fill the disk of the data folder, except for this number of bytes."""

    @contextmanager
    def filled(place: Place) -> Iterator[None]:
        filler = place.settings.data_dir / "filler"
        room = os.statvfs(place.settings.data_dir)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - free)
        yield
        filler.unlink()

    return filled


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(0o700)


@contextmanager
def locked(place: Place) -> Iterator[None]:
    other = sqlite3.connect(place.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def damaged(place: Place) -> Iterator[None]:
    backup = place.database.with_suffix(".backup")
    shutil.copy(place.database, backup)
    content = bytearray(place.database.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    place.database.write_bytes(content)
    yield
    for beside in place.database.parent.glob("worklist.sqlite-*"):
        beside.unlink()
    backup.replace(place.database)


@contextmanager
def no_database(place: Place) -> Iterator[None]:
    backup = place.database.with_suffix(".backup")
    shutil.copy(place.database, backup)
    place.database.write_bytes(b"MZ" * 5000)
    yield
    backup.replace(place.database)


@contextmanager
def vanished(place: Place) -> Iterator[None]:
    FilmStore(place.settings.films_dir).path(_sha256(place, FIRST[2])).unlink()
    yield


@contextmanager
def changed(place: Place) -> Iterator[None]:
    FilmStore(place.settings.films_dir).path(_sha256(place, FIRST[2])).write_bytes(b"other")
    yield


def _sha256(place: Place, number: int) -> str:
    worklist = Worklist.open(place.settings.worklist_url)
    (entry,) = worklist.page(Query(text=f"{number}.dcm"))
    worklist.close()
    return entry.sha256


NO_PRIVILEGE = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--") if os.geteuid() == 0 else ()
)
"""Root may write anywhere, unless it gives that up."""


def limited(size: int) -> tuple[str, ...]:
    """Limit every file to this number of bytes, as a full disk would."""
    return ("prlimit", f"--fsize={size}", "--")


FAULTS = (
    Fault("killed during an upload", "", killed=True),
    Fault("file too large", r"could not be kept in .* the disk has room", before=limited(FEW)),
    Fault(
        "no room for a film",
        r"could not be kept in .*: No space left on device\. Check that the disk has room",
        full(FEW),
        small_disk=True,
    ),
    Fault("no room at all", r"full\. Check the disk", full(0), small_disk=True),
    Fault(
        "film store read-only",
        r"could not be kept in .*: Permission denied\. Check .* this user may write there",
        lambda place: read_only(place.settings.films_dir),
        NO_PRIVILEGE,
    ),
    Fault(
        "data folder read-only",
        r"read-only\. Let this user write to the file and its folder",
        lambda place: read_only(place.settings.data_dir),
        NO_PRIVILEGE,
    ),
    Fault("worklist locked", r"locked by another program\. Close what holds it", locked),
    Fault("worklist damaged", r"damaged\. Stop the program and restore it from a backup", damaged),
    Fault(
        "worklist no database",
        r"not a database\. Move it away or restore it from a backup",
        no_database,
    ),
    Fault("film vanished", r"cannot be read.*backup or send the film again", vanished),
    Fault("film changed on disk", r"was changed on disk.*backup or send the film again", changed),
)


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Make a data folder; for some faults on a disk of its own, where this user may mount one."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    if not request.getfixturevalue("fault").small_disk:
        yield Place(Settings(data_dir=folder))
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield Place(Settings(data_dir=folder))
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - where mount is


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_acknowledged_is_lost(fault: Fault, place: Place) -> None:
    if fault.before and shutil.which(fault.before[0]) is None:
        pytest.skip(f"{fault.before[0]} (util-linux) is not installed")
    output = ended(place.take(FIRST))
    assert acknowledged(output) == set(FIRST)
    with fault.applied(place):
        meeting = place.take(THEN, fault.before)
        later_output = killed(meeting) if fault.killed else ended(meeting)
    problems = [line for line in later_output.splitlines() if line.startswith("problem ")]
    assert bool(problems) == bool(fault.message), later_output
    assert "Traceback" not in later_output
    if fault.message:
        assert all(re.search(fault.message, problem) for problem in problems), problems
    check(
        place,
        acknowledged(output) | acknowledged(later_output),
        mended=not fault.name.startswith("film "),
    )
    assert acknowledged(ended(place.take(range(12)))) == set(range(12))
    check(place, set(range(12)))


def acknowledged(output: str) -> set[int]:
    lines = (line.split() for line in output.splitlines(keepends=True) if line[-1] == "\n")
    return {int(words[1]) for words in lines if words[0] == "acknowledged"}


def ended(process: "subprocess.Popen[str]") -> str:
    """Run it to its end; what a person can mend does not end it by an exception."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def killed(process: "subprocess.Popen[str]") -> str:
    """Wait for one acknowledgement, and end it while the next film is under way."""
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return first + rest


def check(place: Place, numbers: set[int], *, mended: bool = True) -> None:
    """Make sure that films are in the list once, and on the disk as they were sent."""
    worklist = Worklist.open(place.settings.worklist_url)
    entries = {entry.source: entry for entry in worklist.page(Query(), limit=100)}
    worklist.close()
    for number in numbers:
        entry = entries[f"{number}.dcm"]
        if mended:
            assert FilmStore(place.settings.films_dir).read(entry.sha256) == film(number)
