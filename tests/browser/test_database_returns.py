"""A database that goes away and comes back: every page shows both, and nobody touches anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driving import ServerWithTinyModel, wait_idle
from tests.integration.conftest import PostgresServer, running_postgres

PATIENCE_MILLISECONDS = 90_000
"""The banner looks every 10 s; a connection is waited for as long."""
TROUBLE = "The worklist's database is in trouble"
REFRESHED = ("worklist", "backlog", "retrain", "connections")
"""The pages that refresh by themselves without a film."""


class ServerOnPostgres(ServerWithTinyModel):
    """A server whose worklist is on PostgreSQL."""

    database_url = ""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"CXR_DATABASE_URL": self.database_url}


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def address(database: PostgresServer, tmp_path: Path) -> Iterator[str]:
    """Where the app is."""
    server = ServerOnPostgres(tmp_path / "data", tmp_path / "output.txt")
    server.database_url = database.url("postgres")
    with server:
        server.wait_for_model()
        yield server.url


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def test_every_page_is_itself_again_once_the_database_is(
    context: BrowserContext, address: str, database: PostgresServer
) -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    before = {name: opened(context, f"{address}/{name}") for name in REFRESHED}
    for page in before.values():
        expect(page.get_by_role("heading").first).to_be_visible()
        wait_idle(page, timeout_seconds=60)
    shown = {name: page.locator(".stMain").inner_text() for name, page in before.items()}
    database.stop()
    for page in before.values():
        expect(page.get_by_text(TROUBLE).first).to_be_visible()
        expect(page.get_by_text("tries again by itself").first).to_be_visible()
    meanwhile = {name: opened(context, f"{address}/{name}") for name in REFRESHED}
    for page in meanwhile.values():
        expect(page.get_by_text(TROUBLE).first).to_be_visible()
    database.start()
    for pages in (before, meanwhile):
        for name, page in pages.items():
            expect(page.get_by_text(TROUBLE)).to_have_count(0)
            expect(page.locator(".stMain")).to_have_text(shown[name], use_inner_text=True)
