"""What the browser has sent reaches the worklist, once, whatever else happens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.scoring import ScoringEngine
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query, Worklist

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
    """A film store that has no room until it is told otherwise."""

    full = True

    def keep(self, data: bytes) -> str:
        if self.full:
            raise WorklistError("The disk is full. Make room, then try again.")
        return super().keep(data)


@pytest.fixture
def worklist(tmp_path: Path) -> Iterator[Worklist]:
    opened = Worklist.open(f"sqlite:///{tmp_path / 'worklist.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def open_reception(worklist: Worklist, tmp_path: Path) -> Callable[..., UploadQueue]:
    def opened(films: FilmStore | None = None, engine: Listener | None = None) -> UploadQueue:
        listener = cast(ScoringEngine, engine or Listener())
        return UploadQueue(worklist, films or FilmStore(tmp_path / "films"), listener)

    return opened


def wait_for(reception: UploadQueue) -> None:
    """Wait until everything is received or something is wrong."""
    deadline = monotonic() + WAIT_SECONDS
    while (now := reception.standing()).waiting and not now.problem:
        assert monotonic() < deadline, f"{now.waiting} files still wait"
        sleep(0.01)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=3), max_size=8))
def test_every_content_is_one_kept_entry(
    worklist: Worklist, open_reception: Callable[..., UploadQueue], contents: list[bytes]
) -> None:
    reception = open_reception()
    reception.take([File(f"{number}.dcm", data) for number, data in enumerate(contents)])
    wait_for(reception)
    assert len(reception.standing().arrivals) == len(set(contents))
    for entry in worklist.entries_by_ids(reception.standing().arrivals):
        assert entry.path.read_bytes() in contents


def test_at_every_moment_each_file_either_waits_or_has_arrived(
    open_reception: Callable[..., UploadQueue],
) -> None:
    """A page that saw the two apart took the last film for arrived, and never drew its row."""
    reception = open_reception()
    reception.take([File(f"{number}.dcm", b"%d" % number) for number in range(40)])
    seen = [reception.standing()]
    while seen[-1].waiting:
        seen.append(reception.standing())
    assert all(now.waiting + len(now.arrivals) == now.files == 40 for now in seen)


def test_a_film_known_already_is_said_to_be(open_reception: Callable[..., UploadQueue]) -> None:
    for is_new in (True, False):
        reception = open_reception()
        reception.take([File("a.dcm", b"a")])
        wait_for(reception)
        assert [arrival.is_new for arrival in reception.standing().arrivals.values()] == [is_new]


def test_the_engine_is_told(open_reception: Callable[..., UploadQueue]) -> None:
    listener = Listener()
    reception = open_reception(engine=listener)
    reception.take([File("a.dcm", b"a"), File("b.dcm", b"b")])
    wait_for(reception)
    assert listener.woken >= 1


def test_what_meets_a_full_disk_waits_and_can_be_tried_again(
    tmp_path: Path, worklist: Worklist, open_reception: Callable[..., UploadQueue]
) -> None:
    films = FullDisk(tmp_path / "films")
    reception = open_reception(films)
    reception.take([File("a.dcm", b"a"), File("b.dcm", b"b")])
    wait_for(reception)
    assert "disk is full" in reception.standing().problem
    assert (reception.standing().waiting, worklist.count(Query())) == (2, 0)
    films.full = False
    reception.retry()
    wait_for(reception)
    assert (
        reception.standing().problem,
        reception.standing().waiting,
        worklist.count(Query()),
    ) == ("", 0, 2)


def test_twenty_sessions_at_once_lose_nothing(
    worklist: Worklist, open_reception: Callable[..., UploadQueue]
) -> None:
    receptions = [open_reception() for _ in range(20)]
    together = Barrier(len(receptions))

    def send(number: int) -> None:
        together.wait()
        receptions[number].take([File("own", b"own %d" % number), File("shared", b"shared")])

    threads = [Thread(target=send, args=(number,)) for number in range(len(receptions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for reception in receptions:
        wait_for(reception)
    assert worklist.count(Query()) == len(receptions) + 1
    told_new = [
        a.is_new for reception in receptions for a in reception.standing().arrivals.values()
    ]
    assert sum(told_new) == len(receptions) + 1
