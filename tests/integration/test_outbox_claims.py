"""Claims on what waits in the outbox: by one server at a time, none longer than it lives."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxr_app.destination import Destination
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.outcomes import INSTANCE, scored, sha256
from tests.support.site import NOON, Clock

ARCHIVE = Destination("A", "archive", 104)


@pytest.fixture
def worklist(worklist_url: str, clock: Clock) -> Iterator[Worklist]:
    opened = Worklist.open(worklist_url, clock)
    opened.outbox.open(ARCHIVE)
    yield opened
    opened.close()


def add_results(worklist: Worklist, films: int) -> None:
    """Add two results for each of so many scored films."""
    for number in range(films):
        worklist.receive(sha256(number), "a.dcm", Path("/film"))
        worklist.record(scored(number, header=INSTANCE))
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert worklist.outbox.fill(ARCHIVE, long_ago, after_reading=False) == 2 * films


def test_two_servers_never_claim_the_same_object(worklist_url: str, worklist: Worklist) -> None:
    add_results(worklist, films=20)
    servers = [Worklist.open(worklist_url, lambda: NOON + timedelta(seconds=1)) for _ in range(4)]

    def claim_all(server: Worklist) -> list[int]:
        claimed = []
        while batch := server.outbox.claim(ARCHIVE.name):
            claimed += [each.number for each in batch]
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [number for part in pool.map(claim_all, servers) for number in part]
    for server in servers:
        server.close()
    assert len(claimed) == len(set(claimed)) == 40


def test_the_claim_of_a_server_that_died_ends_and_its_late_word_counts_nothing(
    worklist: Worklist, clock: Clock
) -> None:
    add_results(worklist, films=1)
    dead = worklist.outbox.claim(ARCHIVE.name)
    assert worklist.outbox.claim(ARCHIVE.name) == []
    clock.now += timedelta(minutes=6)
    alive = worklist.outbox.claim(ARCHIVE.name)
    assert [each.number for each in alive] == [each.number for each in dead]
    worklist.outbox.fail(dead[0], "late", timedelta(days=3))
    worklist.outbox.sent(alive[0])
    assert worklist.outbox.newest(OutgoingState.SENT)[0].number == alive[0].number


def test_claims_of_a_killed_process_are_free_at_once_and_those_of_a_running_one_are_not(
    worklist: Worklist, worklist_url: str
) -> None:
    add_results(worklist, films=1)
    with sender_process(worklist_url) as sender:
        assert worklist.outbox.release_abandoned(ARCHIVE.name) == 0
        assert worklist.outbox.claim(ARCHIVE.name) == []
        sender.kill()
        sender.wait()
        assert worklist.outbox.release_abandoned("B") == 0
        assert worklist.outbox.release_abandoned(ARCHIVE.name) == 2
    assert len(worklist.outbox.claim(ARCHIVE.name)) == 2
    assert worklist.outbox.release_abandoned(ARCHIVE.name) == 0, "this process runs"


@contextmanager
def sender_process(worklist_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield a process that holds a claim on everything that is due."""
    program = (
        "import sys; from cxr_app.worklist import Worklist; "
        f"Worklist.open(sys.argv[1]).outbox.claim({ARCHIVE.name!r}); "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, worklist_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()
