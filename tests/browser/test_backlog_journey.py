"""A backlog overnight: begun on the page, left alone, stopped, taken up again, and nothing lost."""

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cxr_app.worklist import Query, Worklist
from tests.browser.conftest import watch
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.films import jpeg

FILMS = 600
DRAWN = 12
BROKEN = "**x** <img src=x onerror=alert(1)>.dcm"
PATIENCE_MILLISECONDS = 120_000
OPENINGS = 5


class ServerWithBacklog(ServerWithTinyModel):
    """A server that may score one folder."""

    @property
    def archive(self) -> Path:
        return self.output.with_name("archive")

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"CXR_BACKLOG_FOLDERS": str(self.archive)}


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait for what a page shows as long as a busy machine may need."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for both journeys."""
    folder = tmp_path_factory.mktemp("backlog")
    with ServerWithBacklog(folder / "data", folder / "output.txt") as running:
        fill(running.archive / "2026-10")
        yield running


@pytest.fixture
def worklist(server: Server) -> Iterator[Worklist]:
    opened = Worklist.open(f"sqlite:///{server.data_dir}/worklist.sqlite")
    yield opened
    opened.close()


def fill(folder: Path) -> None:
    """Many films of different content, and one that is none."""
    drawn = [jpeg(seed) for seed in range(DRAWN)]
    (folder / "deep").mkdir(parents=True)
    for number in range(FILMS):
        film = drawn[number % DRAWN] + b"\0" * (number // DRAWN)
        (folder / "deep" / f"{number:04}.jpeg").write_bytes(film)
    (folder / BROKEN).write_text("no film")


def open_backlog(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/backlog")
    expect(page.get_by_role("heading", name="Backlog")).to_be_visible()
    wait_idle(page, timeout_seconds=60)


def score(page: Page, folder: str) -> None:
    """Type a folder and have it scored."""
    page.get_by_label("Folder on the server").fill(folder)
    page.get_by_role("button", name="Score folder").click()


def expect_job(page: Page, folder: str) -> None:
    expect(page.locator(".st-key-job").get_by_text(folder)).to_be_visible()
    expect_some_done(page)


def expect_some_done(page: Page) -> None:
    """Wait until the bar counts, and has not come to the end."""
    expect(page.get_by_test_id("stProgress")).to_contain_text(
        re.compile(rf"[1-9]\d* of {FILMS + 1} films")
    )


def expect_standing(page: Page, word: str) -> None:
    expect(page.locator(".st-key-job")).to_contain_text(re.compile(rf"\b{word} ·"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.timeout(600)
def test_a_folder_is_scored_once_whatever_happens_in_between(
    server: ServerWithBacklog,
    page: Page,
    context: BrowserContext,
    console_errors: list[str],
    worklist: Worklist,
) -> None:
    open_backlog(page, server)
    score(page, f"{server.archive}/../data")
    expect(page.get_by_text("not a folder below")).to_be_visible()
    score(page, str(server.archive / "2026-10"))
    expect_job(page, "2026-10")
    page.reload()
    expect_some_done(page)
    second = context.new_page()
    watch(second, console_errors)
    open_backlog(second, server)
    expect_some_done(second)

    page.get_by_role("button", name="Cancel").click()
    expect_standing(page, "cancelled")
    expect_standing(second, "cancelled")
    assert 0 < worklist.count(Query(state="all")) < FILMS + 1
    second.close()

    page.get_by_role("button", name="Resume").click()
    expect_standing(page, "running")
    server.restart()
    open_backlog(page, server)
    expect_standing(page, "done")
    console_errors.clear()  # the browser has reported the lost connection
    expect(page.get_by_test_id("stProgress")).to_contain_text(f"{FILMS + 1} of {FILMS + 1} films")
    assert worklist.count(Query(state="all")) == FILMS + 1


@pytest.mark.timeout(600)
def test_what_failed_is_listed_taken_along_and_tried_again(
    server: ServerWithBacklog, page: Page, tmp_path: Path
) -> None:
    """Goes on where the journey above ended."""
    open_backlog(page, server)
    row = page.locator("tbody tr").filter(has_text=BROKEN)
    expect(row.locator("[data-column='state']")).to_have_text("failed")
    with page.expect_download() as download:
        page.get_by_role("button", name="Results as CSV").click()
    download.value.save_as(tmp_path / "results.csv")
    sources = [row["source"] for row in rows_of(tmp_path / "results.csv")]
    assert len(sources) == len(set(sources)) == FILMS + 1
    (server.archive / "2026-10" / BROKEN).write_bytes(jpeg(99))
    page.get_by_role("button", name="Retry failed").click()
    expect(page.get_by_text("Every film of this folder was scored")).to_be_visible()


@pytest.mark.timeout(600)
def test_a_film_opens_at_most_twice_as_slowly_while_a_job_runs(
    server: ServerWithBacklog, page: Page, worklist: Worklist
) -> None:
    fill(server.archive / "again")
    for path in (server.archive / "again" / "deep").iterdir():
        path.write_bytes(path.read_bytes() + b"another film")
    films = worklist.page(Query(), limit=2 * OPENINGS)
    idle = [seconds_to_open(page, server, film.id) for film in films[:OPENINGS]]
    open_backlog(page, server)
    score(page, str(server.archive / "again"))
    expect_job(page, "again")
    busy = [seconds_to_open(page, server, film.id) for film in films[OPENINGS:]]
    open_backlog(page, server)
    expect(page.locator(".st-key-job")).to_contain_text("running")
    page.get_by_role("button", name="Cancel").click()
    expect_standing(page, "cancelled")
    assert min(busy) <= 2 * median(idle), f"{min(busy):.2f} s instead of {median(idle):.2f} s"


def seconds_to_open(page: Page, server: Server, entry_id: str) -> float:
    """Open a film by its address, and wait until it is drawn."""
    asked = time.monotonic()
    page.goto(f"{server.url}/film?film={entry_id}")
    expect(page.locator(".viewer")).not_to_have_attribute("data-ready", "false")
    return time.monotonic() - asked
