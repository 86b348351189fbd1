"""The dark page and the light one: dark until a reader wants it light, then light everywhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watch
from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

LIGHT, DARK = re.compile(r"rgb\(2\d\d, 2\d\d, 2\d\d\)"), re.compile(r"rgb\(\d\d?, \d\d?, \d\d?\)")
BLACK = "rgb(0, 0, 0)"


@pytest.fixture(scope="module")
def film(server: Server) -> Iterator[str]:
    """A film to look at."""
    assert isinstance(server.data_dir, Path)
    desk = Desk(server.data_dir)
    yield desk.enter(dicom_bytes(radiograph_dataset(film_pixels(64, 64))), 0.9, minutes=5)
    desk.worklist.close()


@pytest.fixture(params=["light", "dark"])
def page_of_computer(
    request: pytest.FixtureRequest, browser: Browser, console_errors: list[str]
) -> Iterator[Page]:
    """A page of a computer that is set to light or dark."""
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    watch(page, console_errors)
    yield page
    context.close()
    assert not console_errors


def expect_ground(page: Page, colour: str | re.Pattern[str], place: str = ".stApp") -> None:
    """The ground of a place has this colour."""
    expect(page.locator(place)).to_have_css("background-color", colour)


def test_a_page_is_dark_until_a_reader_wants_it_light(
    film: str, app_url: str, page_of_computer: Page
) -> None:
    page = page_of_computer
    page.goto(f"{app_url}/?state=all")
    page.locator("tbody tr[data-film]").first.wait_for()
    wait_idle(page)
    expect_ground(page, DARK)
    page.get_by_role("button", name="Light page").click()
    expect(page.get_by_role("button", name="Dark page")).to_be_visible()
    assert "state=all" in page.url
    for address in ("/upload", f"/film?film={film}", "/"):
        page.goto(f"{app_url}{address}")
        expect(page.get_by_role("button", name="Dark page")).to_be_visible()
        expect_ground(page, LIGHT)
        if "film=" in address:
            page.locator(".viewer[data-ready='true']").wait_for()
            expect_ground(page, BLACK, ".viewer .stage")
    page.get_by_role("button", name="Dark page").click()
    expect(page.get_by_role("button", name="Light page")).to_be_visible()
    expect_ground(page, DARK)
