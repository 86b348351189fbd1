"""What the browser keeps is told once, when the page rests and no link was just followed."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

import cxr_app.ui.keepsake
from cxr_app.ui.page_head import HERE
from cxr_app.ui.rest import REST

MOUNT = """async (script) => {
  const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
  const {default: mount} = await import(url);
  document.body.innerHTML = "<main data-test-script-state='running'></main>";
  localStorage.setItem("reader", "Ada");
  window.told = [];
  mount({
    data: {name: "reader", word: ""},
    parentElement: document.querySelector("main"),
    setTriggerValue: (name, value) => window.told.push(value.word),
  });
}"""


@pytest.fixture
def keepsake(empty_page: Page) -> Page:
    """The component alone in a page whose script runs, under a clock that the test moves."""
    empty_page.clock.install()
    empty_page.clock.pause_at("2030-01-01")
    empty_page.evaluate((HERE / "touch.js").read_text(encoding="utf-8"))
    empty_page.keyboard.press("Tab")  # a link is followed before the component is there
    script = Path(cxr_app.ui.keepsake.__file__).with_name("keepsake.js")
    empty_page.evaluate(MOUNT, REST + script.read_text(encoding="utf-8"))
    return empty_page


def test_a_page_that_stops_for_a_link_is_told_nothing(keepsake: Page) -> None:
    """Between the stop of its script and the next page's run it seems to rest."""
    keepsake.locator("main").evaluate("main => main.dataset.testScriptState = 'notRunning'")
    keepsake.clock.run_for(900)
    assert keepsake.evaluate("window.told") == []
    keepsake.clock.run_for(300)
    assert keepsake.evaluate("window.told") == ["Ada"]
    keepsake.clock.run_for(60_000)
    assert keepsake.evaluate("window.told") == ["Ada"]


def test_a_script_that_runs_is_told_nothing(keepsake: Page) -> None:
    keepsake.clock.run_for(60_000)
    assert keepsake.evaluate("window.told") == []
