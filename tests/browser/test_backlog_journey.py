"""A backlog from the page: begun, watched in two windows, cancelled, resumed, done, and read."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cxr_app.worklist import Query
from tests.browser.conftest import watch
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.films import jpeg

FILMS = 40
BROKEN = ("notes.jpeg", "cut.dcm")
PATIENCE_MILLISECONDS = 120_000
"""A job begins with loading PyTorch in a process of low priority."""


class ServerWithBacklog(ServerWithTinyModel):
    """A server that may score a folder of films."""

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
    """One server, and beside it a folder of films among which are two that are none."""
    folder = tmp_path_factory.mktemp("backlog")
    prepared = ServerWithBacklog(folder / "data", folder / "output.txt")
    (prepared.archive / "2026-10").mkdir(parents=True)
    for seed in range(FILMS):
        (prepared.archive / "2026-10" / f"{seed}.jpeg").write_bytes(jpeg(seed))
    for seed, name in enumerate(BROKEN):
        (prepared.archive / name).write_bytes(jpeg(seed)[:-700])
    with prepared:
        yield prepared


def test_a_backlog_is_watched_cancelled_resumed_and_read(
    server: Server, page: Page, context: BrowserContext, console_errors: list[str]
) -> None:
    page.goto(f"{server.url}/backlog")
    page.get_by_role("button", name="Score folder").click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    cancel.click()
    expect(page.get_by_text(re.compile("cancelled · ended|^cancelled")).first).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()

    second = context.new_page()
    watch(second, console_errors)
    second.goto(f"{server.url}/backlog")
    page.reload()
    for window in (page, second):
        expect(
            window.get_by_text(f"{FILMS + len(BROKEN)} of {FILMS + len(BROKEN)} films")
        ).to_be_visible()
        expect(window.get_by_text(re.compile("^done · ")).first).to_be_visible()
        expect(window.locator("tbody tr", has_text="failed")).to_have_count(len(BROKEN))
    second.close()

    with page.expect_download() as download:
        page.get_by_role("button", name="Results as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert sorted(row["state"] for row in rows) == ["FAILED"] * len(BROKEN) + ["SCORED"] * FILMS

    wait_idle(page)
    page.locator("tbody tr", has_text=BROKEN[1]).click()
    expect(page.get_by_text("Needs a person")).to_be_visible()
    assert isinstance(server.data_dir, Path)
    desk = Desk(server.data_dir)
    assert desk.worklist.count(Query()) == FILMS + len(BROKEN)
    desk.worklist.close()


def test_a_job_outlives_its_server(server: Server, page: Page) -> None:
    later = server.output.with_name("archive") / "2026-11"
    later.mkdir()
    for seed in range(100, 100 + FILMS):
        (later / f"{seed}.jpeg").write_bytes(jpeg(seed))
    page.goto(f"{server.url}/backlog")
    field = page.get_by_role("textbox", name="Folder on the server")
    field.fill(str(later))
    field.press("Enter")
    page.get_by_role("button", name="Score folder").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.goto("about:blank")  # or else the browser reports the lost connection
    server.restart()
    page.goto(f"{server.url}/backlog")
    expect(page.get_by_text(f"{FILMS} of {FILMS} films")).to_be_visible()
    expect(page.get_by_text("Every film in this folder was scored.")).to_be_visible()
