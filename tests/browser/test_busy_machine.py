"""On a machine so busy that two drawings of one page meet, nothing that a reader gave is lost."""

import sys

from playwright.sync_api import Page, expect

from tests.browser import late_streamlit
from tests.browser.driving import ServerWithTinyModel, wait_idle
from tests.browser.test_upload_journey import PATIENCE_MILLISECONDS, payload, row, send
from tests.support.films import jpeg


class BusyServer(ServerWithTinyModel):
    """A server whose drawings are slow to learn what the browser knows."""

    def _command(self) -> list[str]:
        _, _, _, *arguments = super()._command()
        return [sys.executable, late_streamlit.__file__, *arguments]


SERVER = BusyServer


def test_a_film_that_arrives_while_the_sidebar_is_drawn_is_taken(page: Page, app_url: str) -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    page.goto(f"{app_url}/upload")
    expect(page.get_by_role("heading", name="Upload")).to_be_visible()
    expect(page.get_by_placeholder("Your name")).not_to_have_value("")
    wait_idle(page)
    page.locator("[data-testid='stApp'][data-test-script-state='running']").wait_for()
    send(page, payload("late.jpeg", jpeg(43)))
    expect(row(page, "late.jpeg")).to_be_visible()
