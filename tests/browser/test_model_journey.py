"""Model performance: the page of the shipped model, its operating point moved by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.browser.driving import Server, wait_idle

SLOW_MILLISECONDS = 60_000
"""A busy machine takes long to load the network, and some seconds to simulate."""

FITS = """() => {
  const main = document.querySelector("[data-testid='stMain']");
  return main.scrollWidth <= main.clientWidth;
}"""

OPENED = """() => {
  const card = document.querySelector("[data-testid='stExpander'] details[open]");
  const height = card?.lastElementChild.scrollHeight ?? 0;
  return height > 2000 && card.clientHeight >= height;
}"""
"""The model card is there and has unfolded."""


def metric(page: Page, label: str) -> str:
    """The value under a label."""
    found = page.get_by_test_id("stMetric").filter(has_text=re.compile(f"^{label}"))
    return found.get_by_test_id("stMetricValue").inner_text()


def test_moving_the_operating_point_changes_the_figures_and_not_the_worklist(
    server: Server, page: Page
) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Model").click()
    expect(page.get_by_role("heading", name="Model performance")).to_be_visible()
    expect(page.get_by_text("Computed from 524 films")).to_be_visible(timeout=SLOW_MILLISECONDS)
    expect(page.get_by_role("table").nth(1)).to_be_attached(timeout=SLOW_MILLISECONDS)
    wait_idle(page)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    before = {label: metric(page, label) for label in ("AUROC", "Sensitivity", "Alerts per day")}
    assert "…" not in before["AUROC"]

    slider = page.get_by_role("slider", name="Operating point")
    slider.focus()
    for _ in range(40):
        slider.press("ArrowRight")

    sensitivity = page.get_by_test_id("stMetric").nth(1)
    expect(sensitivity).not_to_contain_text(before["Sensitivity"], timeout=SLOW_MILLISECONDS)
    wait_idle(page)
    assert metric(page, "AUROC") == before["AUROC"]
    assert metric(page, "Alerts per day") != before["Alerts per day"]
    expect(page.get_by_text("changes nothing in the worklist")).to_be_visible()

    page.get_by_role("button", name="balanced, in use").click()
    expect(sensitivity).to_contain_text(before["Sensitivity"], timeout=SLOW_MILLISECONDS)


def test_the_page_fits_a_small_screen(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{server.url}/model")
    expect(page.get_by_role("table").nth(1)).to_be_attached(timeout=SLOW_MILLISECONDS)
    wait_idle(page)
    page.get_by_text("Model card", exact=True).click()
    expect(page.get_by_role("heading", name="Known failures")).to_be_visible()
    page.wait_for_function(OPENED, timeout=SLOW_MILLISECONDS)
    page.wait_for_function(FITS, timeout=SLOW_MILLISECONDS)  # charts take their width when drawn
    wide = page.get_by_role("table").filter(has_text="separable_conv")
    wide.evaluate("table => { table.scrollLeft = 9999 }")
    assert wide.evaluate("table => table.scrollLeft") > 0  # what does not fit can be reached
    assert page.evaluate(FITS)
    app = page.get_by_test_id("stApp")  # scrolls in its main part alone
    assert app.evaluate("element => element.scrollHeight <= element.clientHeight")
    values = page.locator("[data-testid='stMetricValue'] > *")
    for number in range(values.count()):
        fits = "element => element.scrollWidth <= element.clientWidth"
        assert values.nth(number).evaluate(fits)
