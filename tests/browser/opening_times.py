"""How long a film takes to open on a quiet server, and while films arrive from a modality.

    python -m tests.browser.opening_times [--films 1000] [--runs 60] [--rounds 5]

The films are sent by storescu, are kept, entered and scored by the shipped model meanwhile. The
sender shares the machine and is therefore at nice 19; a modality would be elsewhere. Quiet and
busy times take turns, since the speed of a machine that others share changes within minutes.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from websockets.sync.client import ClientConnection

from cxr_app.worklist import Query, Worklist
from tests.browser.driving import Server, _free_port
from tests.browser.window import opened_window, run_page
from tests.support.desk import Desk
from tests.support.films import jpeg
from training.bench.bench_films import COLUMNS, ROWS, write_study_films

OWN = 20
"""Films that are opened in turn."""


class ServerWithReceiver(Server):
    """A server that receives films by C-STORE."""

    dicom_port = 0

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"CXR_DICOM_PORT": str(self.dicom_port)}


def main() -> int:
    """Measure both in turns, and print each round and the ratio of the medians."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.opening_times", description=__doc__
    )
    parser.add_argument("--films", type=int, default=1000, help="that arrive; default: 1000")
    parser.add_argument("--runs", type=int, default=60, help="films opened; default: 60")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        batches = [folder / f"sent-{number}" for number in range(options.rounds)]
        for batch in batches:
            write_study_films(batch, options.films // options.rounds, ROWS, COLUMNS)
        desk = Desk(folder / "data")
        own = [desk.enter(jpeg(number), 0.8, f"{number}.jpeg") for number in range(OWN)]
        with closing(desk.worklist) as worklist:
            server = ServerWithReceiver(folder / "data", folder / "output.txt")
            server.dicom_port = _free_port()
            with server, opened_window(server, {}) as window:
                measure = partial(_times, window, server, own)
                measure(OWN)
                rounds = [
                    (
                        measure(options.runs),
                        _while_arriving(batch, server, worklist, measure, options.runs),
                    )
                    for batch in batches
                ]
    _report(rounds)
    return 0


def _while_arriving(
    batch: Path,
    server: ServerWithReceiver,
    worklist: Worklist,
    measure: Callable[[int], list[float]],
    runs: int,
) -> list[float]:
    """Open films while others arrive, and return once all that came are scored."""
    before = worklist.count(Query(state="all"))
    sender = subprocess.Popen(_sender(server.dicom_port, batch))
    try:
        _wait(lambda: worklist.count(Query(state="all")) >= before + 5, "no film arrives")
        times = measure(runs)
        if sender.poll() is not None:
            print("All films had arrived before the end: use more.", file=sys.stderr)
    finally:
        sender.kill()
        sender.wait()
    _wait(lambda: not worklist.next_received(), "films stay unscored")
    return times


def _report(rounds: list[tuple[list[float], list[float]]]) -> None:
    for quiet, arriving in rounds:
        print(_comparison(quiet, arriving))
    quiet, arriving = (list(chain.from_iterable(times)) for times in zip(*rounds, strict=True))
    print(f"all: {_comparison(quiet, arriving)}, of at most 1.3")


def _comparison(quiet: list[float], arriving: list[float]) -> str:
    words = ", ".join(
        f"{what} p50 {statistics.median(times):.0f} ms, "
        f"p95 {statistics.quantiles(times, n=20)[-1]:.0f} ms"
        for what, times in (("quiet", quiet), ("while films arrive", arriving))
    )
    return f"{words}; ratio {statistics.median(arriving) / statistics.median(quiet):.2f}"


def _sender(port: int, folder: Path) -> list[str]:
    nice = [shutil.which("nice") or "nice", "-n", "19"]
    peer = ["127.0.0.1", str(port), "-aec", "CXR", "+sd", str(folder)]
    return [*nice, shutil.which("storescu") or "storescu", "-q", *peer]


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.1)


def _times(window: ClientConnection, server: Server, films: list[str], runs: int) -> list[float]:
    """Open films one after the other: the page, and the picture."""
    times = []
    for number in range(runs):
        film = films[number % len(films)]
        began = time.monotonic()
        run_page(window, "film", f"film={film}")
        with urlopen(f"{server.url}/films/{film}") as picture:  # noqa: S310 - our own server
            picture.read()
        times.append((time.monotonic() - began) * 1000)
    return times


if __name__ == "__main__":
    sys.exit(main())
