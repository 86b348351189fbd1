"""What signing in costs: time of the list, and memory of the server, by way of signing in.

python -m tests.browser.page_times [--films 1000] [--runs 100]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from playwright.sync_api import sync_playwright
from websockets.sync.client import ClientConnection

from cxr_app.worklist import Worklist
from tests.browser.directory import (
    PATIENCE,
    ServerWithSignIn,
    cookie_of,
    running_provider,
    sign_in,
)
from tests.browser.driving import PROJECT, Server, ServerWithTinyModel, find_chromium, launch
from tests.browser.window import opened_window, run_page
from tests.integration.test_windows import HEADER, ServerBehindProxy
from training.bench.million_entries import synthetic_films

Signed = tuple[Server, dict[str, str]]
"""A server, and what a reader's browser or the proxy sends with each request."""
TOGETHER = 500


def main() -> int:
    """Measure each way and print a line for it."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.page_times", description=__doc__)
    parser.add_argument("--films", type=int, default=1000, help="on the list; default: 1000")
    parser.add_argument("--runs", type=int, default=100, help="of the page; default: 100")
    options = parser.parse_args()
    for name, way in {"none": _none, "proxy": _proxy, "oidc": _oidc}.items():
        with TemporaryDirectory() as folder, way(_filled(Path(folder), options.films)) as found:
            server, headers = found
            with opened_window(server, headers) as window:
                run_page(window)
                times = [_timed(window) for _ in range(options.runs)]
            memory = psutil.Process(server.pid).memory_info().rss
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"{name}: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, "
            f"{memory / 1e6:.0f} MB",
            flush=True,
        )
    return 0


def _timed(window: ClientConnection) -> float:
    began = time.monotonic()
    run_page(window)
    return (time.monotonic() - began) * 1000


def _filled(folder: Path, films: int) -> Path:
    (folder / "data").mkdir()
    with closing(Worklist.open(f"sqlite:///{folder / 'data' / 'worklist.sqlite'}")) as worklist:
        for start in range(0, films, TOGETHER):
            worklist.enter(synthetic_films(range(start, min(start + TOGETHER, films))))
    return folder


@contextmanager
def _none(folder: Path) -> Iterator[Signed]:
    with ServerWithTinyModel(folder / "data", folder / "output.txt") as server:
        yield server, {}


@contextmanager
def _proxy(folder: Path) -> Iterator[Signed]:
    with ServerBehindProxy(folder / "data", folder / "output.txt") as server:
        yield server, {HEADER: "Weiss"}


@contextmanager
def _oidc(folder: Path) -> Iterator[Signed]:
    server = ServerWithSignIn(folder / "data", folder / "output.txt", PROJECT)
    with running_provider() as server.provider_port, server:
        yield server, {"Cookie": _cookie_of_a_reader(server)}


def _cookie_of_a_reader(server: Server) -> str:
    """Sign a reader in by a browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium, find_chromium() or "chromium")
        page = browser.new_page()
        page.goto(server.url)
        sign_in(page, "weiss@hospital.example")
        page.get_by_role("heading", name="Worklist").wait_for(timeout=PATIENCE)
        cookie = cookie_of(page)
        browser.close()
    return cookie


if __name__ == "__main__":
    sys.exit(main())
