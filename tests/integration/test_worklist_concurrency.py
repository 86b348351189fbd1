"""Many threads and processes use a worklist at once, and some are killed."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import scored, sha256

PATH = Path("/film")
PROJECT = Path(__file__).resolve().parents[2]

RECEIVE_FOREVER = """
import sys
from pathlib import Path
from cxr_app.worklist import Worklist
from tests.support.outcomes import scored, sha256

worklist = Worklist.open(sys.argv[1])
for film in range(1_000_000):
    name = f"{sys.argv[2]}-{film}"
    worklist.receive(sha256(name), name, Path("/film"))
    print(f"received {name}", flush=True)
    worklist.record(scored(name))
    print(f"scored {name}", flush=True)
"""


# Many at once


def test_one_film_from_sixteen_threads_is_one_entry(worklist: Worklist) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: worklist.receive(sha256(1), "-", PATH), range(48), timeout=100)
        )
    assert len({entry_id for entry_id, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1
    assert worklist.count(Query()) == 1


def test_one_score_from_sixteen_threads_is_one_line_of_history(worklist: Worklist) -> None:
    entry_id, _ = worklist.receive(sha256(1), "-", PATH)
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(lambda n: worklist.record(scored(1, 0.5, f"m-{n % 2}")), range(32)):
            pass
    assert {score.model_version for score in worklist.scores(entry_id)} == {"m-0", "m-1"}
    assert len(worklist.scores(entry_id)) == 2


def test_readers_and_writers_do_not_hold_each_other_up(worklist: Worklist) -> None:
    def work(film: int) -> None:
        worklist.receive(sha256(film), "-", PATH)
        worklist.record(scored(film))
        worklist.page(Query(text="-"))
        worklist.counts()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(32), timeout=100))
    assert worklist.count(Query(flag="flagged")) == 32


def _start(url: str, name: str, out: Path) -> "subprocess.Popen[bytes]":
    with out.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", RECEIVE_FOREVER, url, name], cwd=PROJECT, stdout=file
        )


def _acknowledged(out: Path) -> list[list[str]]:
    return [line.split() for line in out.read_text().splitlines(keepends=True) if line[-1] == "\n"]


def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    worklist_url: str, tmp_path: Path
) -> None:
    """They also open the empty database at the same time, so that all want to create it."""
    outs = [tmp_path / f"{name}.txt" for name in range(3)]
    processes = [_start(worklist_url, out.stem, out) for out in outs]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(len(_acknowledged(out)) < 20 for out in outs):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
    worklist = Worklist.open(worklist_url)
    for out in outs:
        lines = _acknowledged(out)
        assert len(lines) >= 20
        for what, name in lines:
            entry = worklist.entry_by_sha256(sha256(name))
            assert entry is not None
            assert what == "received" or sha256(name) in worklist.scored_by("model-1")
    worklist.close()
