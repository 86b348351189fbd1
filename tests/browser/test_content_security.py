"""The browser runs nothing on any page but what the server has written, and misses nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cxr_app.ui.pages import PAGES
from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

SLOW_MILLISECONDS = 180_000
"""A busy machine takes long to load the network, which one page waits for."""
NOTE = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
SEEN = {
    "worklist": "[data-testid='stMain'] table",
    "film": "canvas",
    "upload": "[data-testid='stFileUploader']",
    "backlog": "[data-testid='stMain'] h1",
    "retrain": "[data-testid='stMain'] h1",
    "model": ".js-plotly-plot .main-svg",
    "drift": "[data-testid='stMain'] h1",
    "connections": "[data-testid='stMain'] h1",
    "audit": "[data-testid='stDataFrame'] canvas",
}
"""What each page shows last, by scripts."""


@pytest.fixture(scope="module")
def film(server: Server) -> Iterator[str]:
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    ds = radiograph_dataset(film_pixels(300, 300), PatientName="Example^Ada", PatientID="P-1")
    yield desk.enter(dicom_bytes(ds), 0.9)
    desk.worklist.close()


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    context.add_init_script(NOTE)
    return context


def test_every_page_is_walked() -> None:
    assert set(SEEN) == {each.file for each in PAGES}


@pytest.mark.parametrize("name", SEEN)
def test_no_page_needs_more_than_its_policy_allows(
    server: Server, page: Page, film: str, name: str
) -> None:
    path = {"worklist": "", "film": f"film?film={film}"}.get(name, name)
    answer = page.goto(f"{server.url}/{path}")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-eval'" not in policy
    expect(page.locator(SEEN[name]).first).to_be_visible(timeout=SLOW_MILLISECONDS)
    wait_idle(page)
    assert page.evaluate("() => window.violations") == []


def test_a_script_that_gets_into_a_page_does_not_run(
    server: Server, page: Page, console_errors: list[str]
) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible(timeout=SLOW_MILLISECONDS)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const button = document.createElement("button");
      button.setAttribute("onclick", "window.ran = true");
      document.body.append(button);
      button.click();
    }""")
    assert page.evaluate("() => window.ran") is None
    assert len(page.evaluate("() => window.violations")) == 2
    console_errors.clear()
