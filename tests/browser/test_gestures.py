"""A film table sends each gesture once, when the page's script is idle."""

import pytest
from playwright.sync_api import Page

from cxr_app.ui.components.film_table import SCRIPT
from cxr_app.ui.components.script_state import REST

MOUNT = """async (script) => {
  const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
  const {default: mount} = await import(url);
  document.body.innerHTML = "<main data-test-script-state='running'></main>";
  window.messages = [];
  mount({
    data: {columns: [{id: "name", label: "Name", width: 5}], rows: [{id: "f-1", name: "Film"}]},
    parentElement: document.querySelector("main"),
    setTriggerValue: (name, value) => window.messages.push(`${name} ${value}`),
  });
}"""


@pytest.fixture
def table(empty_page: Page) -> Page:
    """The table alone in a page whose script runs, under a clock that the test moves."""
    empty_page.clock.install()
    empty_page.clock.pause_at("2030-01-01")
    empty_page.evaluate(MOUNT, REST + SCRIPT)
    return empty_page


def script_is(table: Page, state: str) -> None:
    """Set the state of the page's script."""
    table.locator("main").evaluate("(main, state) => main.dataset.testScriptState = state", state)


def messages_of(table: Page) -> object:
    return table.evaluate("window.messages")


def test_a_row_is_opened_once_the_script_rests(table: Page) -> None:
    table.locator("tbody tr").click()
    table.clock.run_for(60_000)
    assert messages_of(table) == []
    script_is(table, "notRunning")
    table.clock.run_for(100)
    assert messages_of(table) == ["opened f-1"]


def test_a_row_is_not_opened_again_while_the_script_answers(table: Page) -> None:
    script_is(table, "notRunning")
    table.locator("tbody tr").click()
    assert messages_of(table) == ["opened f-1"]
    script_is(table, "running")
    table.clock.run_for(60_000)
    assert messages_of(table) == ["opened f-1"]


def test_a_row_whose_click_was_lost_is_opened_again(table: Page) -> None:
    script_is(table, "notRunning")
    table.locator("tbody tr").click()
    table.clock.run_for(5_000)
    assert messages_of(table) == ["opened f-1"]
    table.clock.run_for(2_000)
    assert messages_of(table) == ["opened f-1"] * 2
