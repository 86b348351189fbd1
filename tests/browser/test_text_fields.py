"""Fields that a reader types in: what is stored, where, and when the keys are keys again."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cxr_app.ui.components.comment_box import HERE
from cxr_app.ui.components.delivery import SENDER
from cxr_app.ui.server.page_head import COMPONENTS

MOUNT = """async (script) => {
  const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
  const {default: mount} = await import(url);
  document.body.innerHTML = "<main data-test-script-state='notRunning'></main>";
  window.told = [];
  window.show = (entry) => mount({
    data: {entry, heard: 0, longest: 2000, hint: "Comment"},
    parentElement: document.querySelector("main"),
    setStateValue: (name, value) => { window.told = value.list; },
  });
  window.show("a");
}"""
NAME_FIELD = """document.body.innerHTML =
  "<div data-testid='stTextInput'><input value='Dr Test'></div>" """


@pytest.fixture
def box(empty_page: Page) -> Page:
    """The field for a comment alone in a page, at film ``a``."""
    empty_page.evaluate(MOUNT, SENDER + (HERE / "comment_box.js").read_text(encoding="utf-8"))
    return empty_page


def told(box: Page) -> Any:
    """Every comment sent so far, each with its film."""
    return [(each["entry"], each["text"]) for each in box.evaluate("window.told")]


def test_a_draft_belongs_to_its_film_and_only_enter_stores_it(box: Page) -> None:
    field = box.get_by_role("textbox", name="Comment")
    field.fill("of film a")
    field.blur()
    box.evaluate("window.show('b')")
    expect(field).to_have_value("")
    field.press("Enter")
    field.fill("of film b")
    box.evaluate("window.show('a')")
    expect(field).to_have_value("of film a")
    expect(field).not_to_be_focused()
    assert told(box) == []
    field.press("Enter")
    assert told(box) == [("a", "of film a")]
    expect(field).to_have_value("")
    box.evaluate("window.show('b')")
    expect(field).to_have_value("of film b")


@pytest.mark.parametrize(("key", "left"), [("Enter", ""), ("Escape", "left base")])
def test_the_keys_are_keys_again_after_a_comment(box: Page, key: str, left: str) -> None:
    field = box.get_by_role("textbox", name="Comment")
    field.fill("left base")
    field.press(key)
    expect(field).not_to_be_focused()
    box.keyboard.press("n")
    expect(field).to_have_value(left)


@pytest.mark.parametrize(("key", "name"), [("Enter", "Dr Testa"), ("Escape", "Dr Test")])
def test_a_name_gets_no_letter_of_a_later_key(empty_page: Page, key: str, name: str) -> None:
    empty_page.evaluate((COMPONENTS / "text_fields.js").read_text(encoding="utf-8"))
    empty_page.evaluate(NAME_FIELD)
    field = empty_page.get_by_role("textbox")
    field.press("End")
    empty_page.keyboard.type("a")
    empty_page.keyboard.press(key)
    expect(field).not_to_be_focused()
    empty_page.keyboard.press("n")
    expect(field).to_have_value(name)
