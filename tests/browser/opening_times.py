"""How long a film takes to open on a quiet server, and while films arrive from a modality.

    python -m tests.browser.opening_times [--films 1000] [--runs 60]

The films are sent by storescu, are kept, entered and scored by the shipped model meanwhile. The
sender shares the machine and is therefore at nice 19; a modality would be elsewhere.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import closing
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
    """Measure both and print their ratio."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.opening_times", description=__doc__
    )
    parser.add_argument("--films", type=int, default=1000, help="that arrive; default: 1000")
    parser.add_argument("--runs", type=int, default=60, help="films opened; default: 60")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        films = write_study_films(folder / "sent", options.films, ROWS, COLUMNS)
        desk = Desk(folder / "data")
        own = [desk.enter(jpeg(number), 0.8, f"{number}.jpeg") for number in range(OWN)]
        with closing(desk.worklist) as worklist:
            server = ServerWithReceiver(folder / "data", folder / "output.txt")
            server.dicom_port = _free_port()
            with server, opened_window(server, {}) as window:
                _times(window, server, own, OWN)
                quiet = _times(window, server, own, options.runs)
                sender = subprocess.Popen(_sender(server.dicom_port, films[0].parent))
                try:
                    _wait_for_films(worklist)
                    arriving = _times(window, server, own, options.runs)
                    arrived = worklist.count(Query(state="all")) - OWN
                    if sender.poll() is not None:
                        print("All films had arrived before the end: use more.", file=sys.stderr)
                finally:
                    sender.kill()
                    sender.wait()
    _report(quiet, arriving, arrived)
    return 0


def _report(quiet: list[float], arriving: list[float], arrived: int) -> None:
    for what, times in (("quiet", quiet), ("while films arrive", arriving)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{what}: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms")
    ratio = statistics.median(arriving) / statistics.median(quiet)
    print(f"ratio of the medians {ratio:.2f}, of at most 1.3; {arrived} films arrived")


def _sender(port: int, folder: Path) -> list[str]:
    nice = [shutil.which("nice") or "nice", "-n", "19"]
    peer = ["127.0.0.1", str(port), "-aec", "CXR", "+sd", str(folder)]
    return [*nice, shutil.which("storescu") or "storescu", "-q", *peer]


def _wait_for_films(worklist: Worklist) -> None:
    deadline = time.monotonic() + 60
    while worklist.count(Query(state="all")) < OWN + 5:
        if time.monotonic() > deadline:
            raise RuntimeError("no film arrives")
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
