"""Measure what a reader waits for, on a real server and in a real browser: one table.

python -m tests.browser.waiting
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, BrowserType, Page, sync_playwright

from cxr_app.film_store import FilmStore
from cxr_app.jobs.kinds import BACKLOG, accept_backlog
from cxr_app.settings import Settings
from cxr_app.worklist import Job, Query, Worklist
from tests.browser.driving import Server, find_chromium, launch, launch_kept, wait_idle
from tests.browser.screenshots import wait_until_scored
from tests.support.factories import dicom_bytes, radiograph_dataset
from training.bench.bench_films import write_bench_films
from training.bench.million_entries import fill_worklist
from training.drawing.phantom_films import draw_phantom, opacities_of

ENTRIES, TABS, FILMS, JUDGED, OPENINGS, BACKLOG_FILMS = 1000, 9, 100, 100, 20, 6000
COMMENT = "Left base, compare with the next film."
FIRST_SCREEN_MS, NEXT_FILM_MS, UNDER_LOAD = 1000, 300, 2.0
LOOK_MS = 1000
"""A reader looks at a film so long at least; meanwhile the next one is brought."""
ROWS, COLUMNS, DRAWN = 2500, 2048, 8
"""Of the films that are read, as detectors have them; so many are drawn, the others are shifted."""
LONGEST = "received_at"
"""The films of the list stay on its first page while those of the backlog come in."""
PATIENCE_MS, JOB_SECONDS = 120_000, 600.0
CLOCK = """for (const touch of ["keydown", "pointerdown"])
  addEventListener(touch, (event) => globalThis.touched = event.timeStamp, { capture: true });"""
"""When the reader last touched anything, by the page's own clock."""
ROUND = """new MutationObserver(() => {
  if (!document.documentElement.dataset.filmAhead)
    requestAnimationFrame(() => globalThis.answered = performance.now());
}).observe(document.documentElement, { attributeFilter: ["data-film-ahead"] });"""
"""When the page around a film had come after it, by the same clock."""
SHOWN = """performance.getEntriesByName("films-visible")[0].startTime"""
"""When the first rows had been painted, by the page's own clock: a driver that waits for them looks
only every now and then, at last twice a second."""
SINCE_TOUCH = """entry => Math.max(...performance.getEntriesByName("film-visible")
  .filter((mark) => mark.detail === entry).map((mark) => mark.startTime)) - globalThis.touched"""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a reader waited for one thing, again and again.

    Parameters
    ----------
    milliseconds
        One for each time.
    wanted
        The median that is wanted at most; None where nothing is.
    """

    what: str
    milliseconds: list[float]
    wanted: float | None = None

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.milliseconds)

    def line(self) -> str:
        """Write it as a row of the table."""
        numbers = (self.median, np.percentile(self.milliseconds, 95), max(self.milliseconds))
        cells = "".join(f"{number:9.0f}" for number in numbers)
        row = f"{self.what:<44}{len(self.milliseconds):5}{cells}"
        if self.wanted is None:
            return row
        return f"{row}{self.wanted:9.0f}  {'yes' if self.median <= self.wanted else 'NO'}"


class ServerWithArchive(Server):
    """A server that may score one folder beside its data."""

    @property
    def archive(self) -> Path:
        """The folder."""
        return self.output.with_name("archive")

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"CXR_BACKLOG_FOLDERS": str(self.archive)}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    executable = find_chromium()
    if executable is None:
        print("Chromium is not installed; `apt-get install chromium` brings it.", file=sys.stderr)
        return 2
    print(busyness())
    print(f"{'milliseconds':<44}{'n':>5}{'median':>9}{'95 %':>9}{'worst':>9}{'wanted':>9}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for waits in measure(playwright.chromium, executable, Path(folder), options):
            print(waits.line(), flush=True)
    print(busyness())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.waiting", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, default, what in (
        ("entries", ENTRIES, "in the worklist that opens"),
        ("tabs", TABS, "opened, with the browser's cache cold and warm; 0 for none"),
        ("films", FILMS, "read one after another; 0 for none"),
        ("judged", JUDGED, "judged one after another, with causes and comments; 0 for none"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{what}; default: {default}"
        )
    return parser


def busyness() -> str:
    """Report the load of the machine: times of a busy one mean little."""
    return f"{os.cpu_count()} cores; wanting them over the last minute: {os.getloadavg()[0]:.1f}"


def measure(
    chromium: BrowserType, executable: str, place: Path, options: argparse.Namespace
) -> Iterator[Waits]:
    """Measure everything that the table has."""
    if options.tabs:
        yield from first_screens(chromium, executable, place / "list", options)
    if options.films:
        yield from films_in_sight(chromium, executable, place / "films", options.films)
    if options.judged:
        yield from films_judged(chromium, executable, place / "judged", options.judged)


def first_screens(
    chromium: BrowserType, executable: str, place: Path, options: argparse.Namespace
) -> Iterator[Waits]:
    """Open the worklist in tabs that are new, in a browser that is new, and in one that is not."""
    settings = Settings(data_dir=place / "data")
    settings.data_dir.mkdir(parents=True)
    worklist = Worklist.open(settings.worklist_url)
    fill_worklist(worklist, settings.data_dir / "worklist.sqlite", options.entries)
    worklist.close()
    entries = f"first screen, {options.entries:,} films"
    with serving(Server(settings.data_dir, place / "output.txt")) as server:
        browser = launch(chromium, executable)
        cold = []
        for _ in range(options.tabs + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            cold.append(first_screen(context, server.url))
            context.close()
        browser.close()
        yield Waits(f"{entries}, cache cold", cold[1:], FIRST_SCREEN_MS)
        with browser_context(chromium, executable, place / "profile") as context:
            warm = [first_screen(context, server.url) for _ in range(options.tabs + 3)]
        yield Waits(f"{entries}, cache warm", warm[3:], FIRST_SCREEN_MS)


def first_screen(context: BrowserContext, url: str) -> float:
    """Open the worklist in a fresh tab; give the time until its first rows are painted."""
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator("tbody tr[data-film]").first.wait_for(timeout=PATIENCE_MS)
    wait_idle(page)
    page.wait_for_timeout(LOOK_MS)
    waited = float(page.evaluate(SHOWN))
    page.close()
    return waited


def films_in_sight(
    chromium: BrowserType, executable: str, place: Path, count: int
) -> Iterator[Waits]:
    """Open films from the list, go from film to film by key, and open films during a backlog."""
    settings = Settings(data_dir=place / "data")
    worklist = receive(settings, count)
    server = ServerWithArchive(settings.data_dir, place / "output.txt")
    write_bench_films(server.archive, "jpeg", BACKLOG_FILMS)
    with serving(server), browser_context(chromium, executable, place / "profile") as context:
        wait_until_scored(worklist)
        listed = [entry.id for entry in worklist.page(Query(sort=LONGEST), limit=count)]
        page = context.new_page()
        page.add_init_script(CLOCK)
        page.goto(f"{server.url}/?sort={LONGEST}")
        page.locator("tbody tr[data-film]").first.wait_for(timeout=PATIENCE_MS)
        wait_idle(page)
        opened = listed[: 2 * OPENINGS : 2]  # never the next of one before, which is prepared
        idle = Waits("opening a film", [open_and_return(page, film) for film in opened])
        yield idle
        page.evaluate(ROUND)
        next_films, around = zip(*read_on(page, listed), strict=True)
        yield Waits("next film, by key", list(next_films), NEXT_FILM_MS)
        yield Waits("its name, score and heat", list(around), NEXT_FILM_MS)
        with backlog(worklist, server.archive) as job:
            busy = list(during(job, (open_and_return(page, film) for film in opened)))
        yield Waits("opening a film during a backlog", busy, UNDER_LOAD * idle.median)
    worklist.close()


def films_judged(
    chromium: BrowserType, executable: str, place: Path, count: int
) -> Iterator[Waits]:
    """Judge films by keys alone: cause and verdict, a comment on each third, then the next film."""
    settings = Settings(data_dir=place / "data")
    worklist = receive(settings, count)
    server = Server(settings.data_dir, place / "output.txt")
    with serving(server), browser_context(chromium, executable, place / "profile") as context:
        wait_until_scored(worklist)
        listed = [entry.id for entry in worklist.page(Query(), limit=count)]
        page = context.new_page()
        page.add_init_script(CLOCK)
        page.goto(server.url)
        page.locator(f"tr[data-film='{listed[0]}']").click(timeout=PATIENCE_MS)
        until_in_sight(page, listed[0])
        waited, kept = [], []
        for number, (film, after) in enumerate(pairwise(listed)):
            kept.append(judge(page, film, number))
            page.keyboard.press("n")
            waited.append(until_in_sight(page, after))
    given = [worklist.reviews.of_film(film) for film in listed[:-1]]
    worklist.close()
    if not all(any(each.verdict for each in of_film) for of_film in given):
        raise RuntimeError("a verdict was lost")
    yield Waits("verdict by key, until it is listed", kept)
    yield Waits("next film after a verdict, by key", waited, NEXT_FILM_MS)


def judge(page: Page, film: str, number: int) -> float:
    """Judge the film in sight by keys; give the time until the verdict is listed beside it."""
    if number % 3 == 0:
        page.keyboard.press("c")
        page.keyboard.type(COMMENT)
        page.keyboard.press("Enter")
    page.keyboard.press("bvq"[number % 3])
    page.keyboard.press("y" if number % 2 else "x")
    answer = "pneumonia" if number % 2 else "no_pneumonia"
    began = time.perf_counter()
    page.locator(f".st-key-{answer}_{film} button[kind='primary']").wait_for(timeout=PATIENCE_MS)
    return (time.perf_counter() - began) * 1000


def open_and_return(page: Page, film: str) -> float:
    """Open a film from the list and go back; give the time until it was in sight."""
    row = page.locator(f"tr[data-film='{film}']")
    row.click()
    waited = until_in_sight(page, film)
    page.keyboard.press("w")
    row.wait_for(timeout=PATIENCE_MS)
    wait_idle(page)
    return waited


def read_on(page: Page, films: list[str]) -> Iterator[tuple[float, float]]:
    """Go from film to film by key; give the times until each was in sight and until all was."""
    page.locator(f"tr[data-film='{films[0]}']").click()
    until_in_sight(page, films[0])
    for film in films[1:]:
        page.keyboard.press("n")
        yield until_in_sight(page, film), page.evaluate("answered - touched")
    page.keyboard.press("w")
    page.locator("tbody tr[data-film]").first.wait_for(timeout=PATIENCE_MS)


def until_in_sight(page: Page, film: str) -> float:
    """Wait for a film; give the milliseconds since the reader's last touch, and look at it."""
    shown = page.locator(f".viewer[data-entry='{film}'][data-ready='true']")
    shown.wait_for(timeout=PATIENCE_MS)
    waited = float(page.evaluate(SINCE_TOUCH, film))
    wait_idle(page)
    page.wait_for_timeout(LOOK_MS)
    return waited


def receive(settings: Settings, count: int) -> Worklist:
    """Receive films of a detector's size, for the server to score; no two are the same."""
    store, worklist = FilmStore(settings.films_dir), Worklist.open(settings.worklist_url)
    drawn = [_pixels(seed) for seed in range(DRAWN)]
    for number in range(count):
        pixels = np.roll(drawn[number % DRAWN], number, axis=1)
        ds = radiograph_dataset(pixels, bits_stored=12, PatientID=f"P-{number:04}")
        sha256 = store.keep(dicom_bytes(ds))
        worklist.receive(sha256, f"{number:04}.dcm", store.path(sha256))
    return worklist


def _pixels(seed: int) -> NDArray[np.uint16]:
    film = draw_phantom(seed, ROWS // 2, COLUMNS // 2, opacities_of(seed)).repeat(2, 0).repeat(2, 1)
    pixels: NDArray[np.uint16] = np.rint(film * 4095).astype(np.uint16)
    return pixels


@contextmanager
def backlog(worklist: Worklist, folder: Path) -> Iterator[Callable[[], Job]]:
    """Have the server score a folder, and go on once it scores; give how the job is now."""
    settings = Settings(backlog_folders=str(folder))
    job_id = worklist.jobs.submit(BACKLOG, accept_backlog(settings, {"folder": str(folder)})).id

    def now() -> Job:
        return worklist.jobs.job(job_id)

    try:
        wait_until(lambda: now().progress.done > 0)
        yield now
    finally:
        worklist.jobs.cancel(job_id)
        wait_until(lambda: not now().is_active)


def during(job: Callable[[], Job], waits: Iterable[float]) -> Iterator[float]:
    """Measure while a job runs; measurements after its end would mean nothing."""
    for waited in waits:
        if not job().is_active:
            raise RuntimeError("the backlog ended too early: it has too few films")
        yield waited


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for the job, which begins with loading PyTorch at the lowest priority."""
    deadline = time.monotonic() + JOB_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the backlog stood still for {JOB_SECONDS:.0f} s")
        time.sleep(0.2)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run a server until its network is loaded, and end it afterwards."""
    with server:
        while '"ready"' not in (server.answer("/healthz") or ""):
            time.sleep(0.2)
        yield server


@contextmanager
def browser_context(
    chromium: BrowserType, executable: str, profile: Path
) -> Iterator[BrowserContext]:
    """Start a browser that keeps what it was sent, as a reader's own does."""
    context = launch_kept(chromium, executable, profile)
    yield context
    context.close()


if __name__ == "__main__":
    sys.exit(main())
