"""The Drift page in a browser: its charts are drawn, and it fits a small screen."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk, scored
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

WEEK = 7 * 24 * 60
FILMS = 32
SLOW_MILLISECONDS = 60_000


@pytest.fixture
def films(server: Server) -> None:
    """Films of two weeks: enough for a figure in one of them."""
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    for place in range(FILMS):
        ds = radiograph_dataset(film_pixels(32, 32, seed=place), StationName="CR-1")
        data = dicom_bytes(ds)
        desk.enter_outcome(data, scored(data, (place + 0.5) / FILMS), minutes=WEEK)
    desk.worklist.close()


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_charts_are_drawn_and_fit(server: Server, page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{server.url}/drift")
    charts = page.locator(".js-plotly-plot .main-svg")
    expect(charts.first).to_be_visible(timeout=SLOW_MILLISECONDS)
    expect(page.get_by_role("heading", name="By station")).to_be_visible()
    wait_idle(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    expect(page.get_by_role("cell", name="CR-1")).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")
