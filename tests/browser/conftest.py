"""Fixtures of the journeys: a real server, a real browser, and evidence when one fails."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from cxr_app.ui.server.error_page import UNEXPECTED
from cxr_app.worklist import Query
from tests.browser.driving import PROJECT, Server, find_chromium, launch
from tests.conftest import REPORTS
from tests.support.desk import Desk

RESULTS = PROJECT / "test-results"

NOWHERE = "http://component.test/"

PROBES = ("/_stcore/health", "/_stcore/host-config")
"""A page opened by its own address looks for these below its path first, where they are not:
Streamlit's way of finding its base."""


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for the journeys of a file, on an empty data folder; they may restart it.

    A file whose journeys need another kind of server names it as ``SERVER``.
    """
    kind: type[Server] = getattr(request.module, "SERVER", Server)
    folder = tmp_path_factory.mktemp("server")
    with kind(folder / "data", folder / "output.txt") as running:
        yield running


@pytest.fixture(scope="module")
def desk(server: Server) -> Iterator[Desk]:
    """The worklist of the server."""
    assert isinstance(server.data_dir, Path)
    opened = Desk(server.data_dir)
    yield opened
    opened.worklist.close()


@pytest.fixture
def emptied(desk: Desk) -> None:
    """Empty the list of the films of other tests."""
    for entry in desk.worklist.page(Query(), limit=50):
        desk.worklist.mark_read(entry.id, reader="Dr Grau")


@pytest.fixture
def app_url(server: Server) -> str:
    """Where the app is."""
    return server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is not installed; `apt-get install chromium` brings it")
    with sync_playwright() as playwright:
        running = launch(playwright.chromium, executable)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile; ``context.new_page()`` is a second window of the same reader."""
    fresh = browser.new_context(viewport={"width": 1440, "height": 900})
    fresh.set_default_timeout(15_000)
    fresh.set_default_navigation_timeout(60_000)  # a server answers late at its very first page
    yield fresh
    fresh.close()


@pytest.fixture
def console_errors() -> list[str]:
    """What the page's console called an error.

    A journey that stops the server on purpose clears it: the browser reports the lost connection.
    """
    return []


@pytest.fixture
def page(
    context: BrowserContext, console_errors: list[str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A page of 1440 x 900 whose journey must end without an exception box or console error.

    Where it fails, a picture of the page and a trace (``playwright show-trace``) are kept under
    ``test-results/``.
    """
    context.tracing.start(snapshots=True)
    fresh = context.new_page()
    watch(fresh, console_errors)
    yield fresh
    boxes = faults_shown(fresh)
    if boxes or console_errors or _failed(request.node):
        folder = _evidence_folder(request.node)
        fresh.screenshot(path=folder / "page.png")
        context.tracing.stop(path=folder / "trace.zip")
    else:
        context.tracing.stop()
    assert not boxes, f"the page shows an exception: {boxes}"
    assert not console_errors, f"the console reports: {console_errors}"


@pytest.fixture
def empty_page(page: Page) -> Page:
    """A page of nothing, at an address of its own that no server has: for a component alone."""
    page.route(NOWHERE, lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(NOWHERE)
    return page


def faults_shown(page: Page) -> list[str]:
    """How a page shows an error of the program: Streamlit's box, or our own sentence."""
    boxes = page.locator("[data-testid='stException']").all_inner_texts()
    return boxes + page.get_by_text(UNEXPECTED).all_inner_texts()


def watch(page: Page, errors: list[str]) -> None:
    """Collect console errors and uncaught exceptions of a page; also for a second window."""

    def note(message: ConsoleMessage) -> None:
        url = str(message.location.get("url", ""))
        if message.type == "error" and not url.endswith(PROBES):
            errors.append(f"{message.text} ({url})")

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))


def _failed(node: pytest.Item) -> bool:
    return any(report.failed for report in node.stash.get(REPORTS, []))


def _evidence_folder(node: pytest.Item) -> Path:
    folder = RESULTS / re.sub(r"[^\w.-]+", "_", node.nodeid)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
