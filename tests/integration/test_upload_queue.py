"""What the browser has sent reaches the worklist, once, whatever else happens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import ge
from pathlib import Path
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.errors import ShortageError, WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.scoring_process import ScoringProcess
from cxr_app.ui import upload_queue
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query, Worklist
from tests.support.factories import dicom_bytes, film_pixels, png_bytes
from tests.unit.cxr_app.imaging.test_passed_over import dicomdir, packed

WAIT_SECONDS = 30


@dataclass
class File:
    """What the page gets from the browser."""

    name: str
    content: bytes

    def getvalue(self) -> bytes:
        return self.content


class Listener:
    """Stands for the engine: counts how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class FullDisk(FilmStore):
    """A film store that is full until the test makes room."""

    full = True

    def keep(self, data: bytes, sha256: str = "") -> str:
        if self.full:
            raise WorklistError("The disk is full. Make room, then try again.")
        return super().keep(data, sha256)


@pytest.fixture
def worklist(tmp_path: Path) -> Iterator[Worklist]:
    opened = Worklist.open(f"sqlite:///{tmp_path / 'worklist.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def open_queue(worklist: Worklist, tmp_path: Path) -> Callable[..., UploadQueue]:
    def opened(films: FilmStore | None = None, engine: Listener | None = None) -> UploadQueue:
        listener = cast(ScoringProcess, engine or Listener())
        return UploadQueue(worklist, films or FilmStore(tmp_path / "films"), listener)

    return opened


def wait_for(queue: UploadQueue) -> None:
    """Wait until everything is received or something is wrong."""
    deadline = monotonic() + WAIT_SECONDS
    while (now := queue.status()).waiting and not now.problem:
        assert monotonic() < deadline, f"{now.waiting} files still wait"
        sleep(0.01)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=3), max_size=8))
def test_every_content_is_one_kept_entry(
    worklist: Worklist, open_queue: Callable[..., UploadQueue], contents: list[bytes]
) -> None:
    queue = open_queue()
    queue.take([File(f"{number}.dcm", data) for number, data in enumerate(contents)])
    wait_for(queue)
    assert len(queue.status().arrivals) == len(set(contents))
    for entry in worklist.entries_by_ids(queue.status().arrivals):
        assert entry.path.read_bytes() in contents


def test_at_every_moment_each_file_either_waits_or_has_arrived(
    open_queue: Callable[..., UploadQueue],
) -> None:
    """A page that saw the two apart took the last film for arrived, and never drew its row."""
    queue = open_queue()
    queue.take([File(f"{number}.dcm", b"%d" % number) for number in range(40)])
    seen = [queue.status()]
    while seen[-1].waiting:
        seen.append(queue.status())
    assert all(now.waiting + len(now.arrivals) == now.files == 40 for now in seen)


def test_a_known_film_is_reported_as_such(open_queue: Callable[..., UploadQueue]) -> None:
    for is_new in (True, False):
        queue = open_queue()
        queue.take([File("a.dcm", b"a")])
        wait_for(queue)
        assert [arrival.is_new for arrival in queue.status().arrivals.values()] == [is_new]


def test_files_that_have_one_film_are_named(open_queue: Callable[..., UploadQueue]) -> None:
    queue = open_queue()
    film, other = png_bytes(), png_bytes(film_pixels(seed=3, bits=8))
    queue.take([File("a.png", film), File("b.png", other), File("c.png", film)])
    wait_for(queue)
    queue.take([File("again.zip", packed({"d.png": film, "e.png": film}))])
    wait_for(queue)
    status = queue.status()
    assert status.repeated == ("c.png", "again.zip/d.png", "again.zip/e.png")
    assert len(status.arrivals) == 2


def test_the_engine_is_woken(open_queue: Callable[..., UploadQueue]) -> None:
    listener = Listener()
    queue = open_queue(engine=listener)
    queue.take([File("a.dcm", b"a"), File("b.dcm", b"b")])
    wait_for(queue)
    assert listener.woken >= 1


def test_what_meets_a_full_disk_waits_and_can_be_tried_again(
    tmp_path: Path, worklist: Worklist, open_queue: Callable[..., UploadQueue]
) -> None:
    films = FullDisk(tmp_path / "films")
    queue = open_queue(films)
    queue.take([File("a.dcm", b"a"), File("b.dcm", b"b")])
    wait_for(queue)
    assert "disk is full" in queue.status().problem
    assert (queue.status().waiting, worklist.count(Query())) == (2, 0)
    films.full = False
    queue.retry()
    wait_for(queue)
    assert (
        queue.status().problem,
        queue.status().waiting,
        worklist.count(Query()),
    ) == ("", 0, 2)


def test_what_met_a_problem_is_received_though_nobody_is_there_to_ask(
    tmp_path: Path,
    worklist: Worklist,
    open_queue: Callable[..., UploadQueue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The window may be closed: what it has sent would be deleted from the spool a day later."""
    monkeypatch.setattr(upload_queue, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(upload_queue, "LOOK_SECONDS", 0.1)
    films = FullDisk(tmp_path / "films")
    queue = open_queue(films)
    queue.take([File("a.dcm", b"a"), File("b.dcm", b"b")])
    wait_for(queue)
    films.full = False
    del queue
    deadline = monotonic() + WAIT_SECONDS
    while worklist.count(Query()) < 2:
        assert monotonic() < deadline
        sleep(0.05)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ShortageError("The computer ran short of memory."), "short of memory"),
        (MemoryError(), "disk and memory"),
        (OSError(24, "Too many open files"), "disk and memory"),
        (KeyError("Quuxlove"), "see the log"),
    ],
)
def test_a_file_that_cannot_be_received_waits_and_delays_no_other(
    worklist: Worklist,
    open_queue: Callable[..., UploadQueue],
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    words: str,
) -> None:
    class Faulty(File):
        is_well = False

        def getvalue(self) -> bytes:
            if not self.is_well:
                raise fault
            return super().getvalue()

    queue, file = open_queue(), Faulty("a.dcm", b"a")
    queue.take([file])
    wait_for(queue)
    assert words in queue.status().problem
    queue.take([File("b.dcm", b"b")])
    queue.retry()
    deadline = monotonic() + WAIT_SECONDS
    while worklist.count(Query()) < 1:
        assert monotonic() < deadline
        sleep(0.05)
    file.is_well = True
    queue.retry()
    while queue.status().waiting:
        assert monotonic() < deadline
        sleep(0.05)
    assert (queue.status().problem, worklist.count(Query())) == ("", 2)
    assert "Quuxlove" not in caplog.text + queue.status().problem


def test_a_file_that_the_server_no_longer_has_is_named_and_not_waited_for(
    worklist: Worklist, open_queue: Callable[..., UploadQueue], tmp_path: Path
) -> None:
    """A server that starts a day later empties the spool; others may share it."""

    class Spooled(File):
        def getvalue(self) -> bytes:
            return (tmp_path / self.name).read_bytes()

    queue = open_queue()
    queue.take([Spooled("gone.dcm", b""), File("b.dcm", b"b")])
    wait_for(queue)
    now = queue.status()
    assert (now.problem, now.waiting, now.lost) == ("", 0, ("gone.dcm",))
    assert worklist.count(Query()) == 1


def test_a_problem_that_stays_is_logged_once_and_looked_at_more_seldom(
    open_queue: Callable[..., UploadQueue],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(upload_queue, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(upload_queue, "LONGEST_PAUSE_SECONDS", 0.04)
    monkeypatch.setattr(upload_queue, "LOOK_SECONDS", 0.001)
    tried: list[float] = []

    class Faulty(File):
        def getvalue(self) -> bytes:
            tried.append(monotonic())
            if len(tried) <= 5:
                raise KeyError
            return super().getvalue()

    queue = open_queue()
    queue.take([Faulty("a.dcm", b"a")])
    deadline = monotonic() + WAIT_SECONDS
    while queue.status().waiting:
        assert monotonic() < deadline
        sleep(0.01)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert all(map(ge, pauses, (0.01, 0.02, 0.04, 0.04, 0.04)))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_twenty_sessions_at_once_lose_nothing(
    worklist: Worklist, open_queue: Callable[..., UploadQueue]
) -> None:
    queues = [open_queue() for _ in range(20)]
    together = Barrier(len(queues))

    def send(number: int) -> None:
        together.wait()
        queues[number].take([File("own", b"own %d" % number), File("shared", b"shared")])

    threads = [Thread(target=send, args=(number,)) for number in range(len(queues))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for queue in queues:
        wait_for(queue)
    assert worklist.count(Query()) == len(queues) + 1
    reported_new = [a.is_new for queue in queues for a in queue.status().arrivals.values()]
    assert sum(reported_new) == len(queues) + 1


def test_what_is_no_film_is_passed_over_and_an_archive_is_unpacked(
    open_queue: Callable[..., UploadQueue], worklist: Worklist
) -> None:
    archive = packed({"x/film.dcm": b"film in zip", "x/AUTORUN.INF": b"[autorun]"})
    broken = archive[:-20]
    queue = open_queue()
    files = [File("Thumbs.db", b"?"), File("a.dcm", b"a"), File("films.zip", archive)]
    queue.take([*files, File("broken.zip", broken)])
    wait_for(queue)
    status = queue.status()
    assert status.passed_over == ("Thumbs.db", "films.zip/x/AUTORUN.INF")
    sources = {entry.source for entry in worklist.page(Query(state="all"))}
    assert sources == {"a.dcm", "films.zip/x/film.dcm", "broken.zip"}


@pytest.mark.parametrize("folder", ["disc/", ""])
def test_a_disc_is_read_by_its_table_of_contents(
    open_queue: Callable[..., UploadQueue], worklist: Worklist, folder: str
) -> None:
    table = dicomdir(IMAGE="DICOM/IM1", PRESENTATION="DICOM/PR1")
    inner = f"{folder}DICOM/" if folder else ""
    names = [f"{folder}DICOMDIR", f"{inner}IM1", f"{inner}PR1", f"{folder}logo.png"]
    contents = [table, b"broken", dicom_bytes(), png_bytes()]
    queue = open_queue()
    queue.take([File(name, data) for name, data in zip(names, contents, strict=True)])
    wait_for(queue)
    assert [entry.source for entry in worklist.page(Query(state="all"))] == [names[1]]
    assert set(queue.status().passed_over) == {names[0], *names[2:]}


@pytest.mark.parametrize("folders", [True, False])
def test_images_that_a_disc_lists_and_that_did_not_arrive_are_named(
    open_queue: Callable[..., UploadQueue], folders: bool
) -> None:
    table = dicomdir(IMAGE1="S1/IM1", IMAGE2="S1/IM2", IMAGE3="S2/IM1", PRESENTATION="S1/PR1")
    names = ["disc/DICOMDIR", "disc/S1/IM1"]
    queue = open_queue()
    queue.take(
        File(name if folders else name.split("/")[-1], data)
        for name, data in zip(names, [table, dicom_bytes()], strict=True)
    )
    wait_for(queue)
    assert queue.status().missing == ("S1/IM2", "S2/IM1")
    queue.take([File("plain.dcm", dicom_bytes())])
    wait_for(queue)
    assert queue.status().missing == ("S1/IM2", "S2/IM1")
