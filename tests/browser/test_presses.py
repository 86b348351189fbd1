"""Key presses of the viewer: each is sent until it is acknowledged, even by a later viewer."""

from typing import Any

import pytest
from playwright.sync_api import Page

from cxr_app.ui.components.delivery import SENDER
from cxr_app.ui.components.viewer import FOLDER, SCRIPTS

MOUNT = """async ([html, script]) => {
  const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
  const {default: mount} = await import(url);
  window.messages = [];
  window.show = (acknowledged) => {
    const data = {entry: "e-1", film: "/film", keys: [], acts: "am", acknowledged};
    const setStateValue = (name, value) => {
      if (name === "presses") window.messages.push(value.list.map((press) => press.key).join(""));
    };
    window.end = mount({data, parentElement: window.place, setStateValue});
  };
  window.replace = (acknowledged) => {
    window.end?.();
    document.body.innerHTML = `<main data-test-script-state="notRunning">${html}</main>`;
    window.place = document.querySelector("main");
    window.show(acknowledged);
  };
  window.replace(0);
}"""
MESSAGES = "count => window.messages.length >= count"


@pytest.fixture
def viewer(empty_page: Page) -> Page:
    """The viewer alone in a page, with a script that acknowledges what the test chooses."""
    html = (FOLDER / "viewer.html").read_text(encoding="utf-8")
    script = SENDER + "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    empty_page.route("**/film", lambda route: route.fulfill(status=204))
    empty_page.evaluate(MOUNT, [html, script])
    return empty_page


def message_after(viewer: Page, count: int) -> Any:
    """Wait for this number of messages; return the last."""
    viewer.wait_for_function(MESSAGES, arg=count)
    return viewer.evaluate("window.messages.at(-1)")


def test_a_key_press_is_sent_until_it_is_acknowledged(viewer: Page) -> None:
    viewer.keyboard.press("a")
    assert message_after(viewer, 2) == "a"
    viewer.evaluate("window.show(Date.now() + 60000)")
    viewer.keyboard.press("m")
    assert message_after(viewer, 3) == "m"


def test_a_viewer_that_replaces_another_keeps_sending(viewer: Page) -> None:
    viewer.keyboard.press("a")
    assert message_after(viewer, 1) == "a"
    viewer.evaluate("window.messages.length = 0; window.replace(0)")
    assert message_after(viewer, 2) == "a"


def test_an_acknowledged_press_is_not_sent_to_a_restarted_server(viewer: Page) -> None:
    viewer.keyboard.press("a")
    assert message_after(viewer, 1) == "a"
    viewer.evaluate("window.show(Date.now() + 60000)")
    viewer.evaluate("window.messages.length = 0; window.replace(0)")
    viewer.keyboard.press("m")
    assert message_after(viewer, 2) == "m"
