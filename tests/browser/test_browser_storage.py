"""Values kept in the browser are sent until they are known, when the page is idle and no link was
just followed."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

import cxr_app.ui.components.browser_storage
from cxr_app.ui.components.script_state import REST
from cxr_app.ui.server.page_head import COMPONENTS

MOUNT = """async (script) => {
  const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
  const {default: mount} = await import(url);
  document.body.innerHTML = "<main data-test-script-state='running'></main>";
  localStorage.setItem("reader", "Ada");
  window.messages = [];
  window.draw = (word) => mount({
    data: {name: "reader", word, otherwise: "Reader 1234"},
    parentElement: document.querySelector("main"),
    setTriggerValue: (name, value) => window.messages.push(value.word),
  });
  window.draw("");
}"""


@pytest.fixture
def stored_in_browser(empty_page: Page) -> Page:
    """The component alone in a page whose script runs, under a clock that the test moves."""
    empty_page.clock.install()
    empty_page.clock.pause_at("2030-01-01")
    empty_page.evaluate((COMPONENTS / "last_input.js").read_text(encoding="utf-8"))
    empty_page.keyboard.press("Tab")  # a link is followed before the component is there
    script = Path(cxr_app.ui.components.browser_storage.__file__).with_name("browser_storage.js")
    empty_page.evaluate(MOUNT, REST + script.read_text(encoding="utf-8"))
    return empty_page


def test_a_page_that_stops_for_a_link_receives_nothing(stored_in_browser: Page) -> None:
    """Between the stop of its script and the next page's run it seems to rest."""
    stored_in_browser.locator("main").evaluate(
        "main => main.dataset.testScriptState = 'notRunning'"
    )
    stored_in_browser.clock.run_for(900)
    assert stored_in_browser.evaluate("window.messages") == []
    stored_in_browser.clock.run_for(300)
    assert stored_in_browser.evaluate("window.messages") == ["Ada"]
    stored_in_browser.evaluate("window.draw('Ada')")
    stored_in_browser.clock.run_for(60_000)
    assert stored_in_browser.evaluate("window.messages") == ["Ada"]


def test_a_word_that_was_lost_on_its_way_is_sent_again(stored_in_browser: Page) -> None:
    stored_in_browser.locator("main").evaluate(
        "main => main.dataset.testScriptState = 'notRunning'"
    )
    stored_in_browser.clock.run_for(2_000)
    stored_in_browser.evaluate("window.draw('')")  # another run, which has not heard it
    stored_in_browser.clock.run_for(5_000)
    assert stored_in_browser.evaluate("window.messages") == ["Ada"] * 2


def test_a_reader_without_a_name_keeps_the_one_that_was_made_up(stored_in_browser: Page) -> None:
    stored_in_browser.evaluate("localStorage.clear()")
    stored_in_browser.locator("main").evaluate(
        "main => main.dataset.testScriptState = 'notRunning'"
    )
    stored_in_browser.clock.run_for(2_000)
    assert stored_in_browser.evaluate("window.messages") == ["Reader 1234"]
    assert stored_in_browser.evaluate("localStorage.getItem('reader')") == "Reader 1234"
    assert stored_in_browser.evaluate("document.cookie") == "cxr_reader=Reader%201234"


def test_a_running_script_receives_nothing(stored_in_browser: Page) -> None:
    stored_in_browser.clock.run_for(60_000)
    assert stored_in_browser.evaluate("window.messages") == []
