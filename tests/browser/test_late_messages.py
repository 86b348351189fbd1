"""What a reader does at a film just before going back to the list counts, on a busy server too."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Dialog, Page, expect

from cxr_app.worklist import Review, Verdict
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

pytestmark = pytest.mark.usefixtures("emptied")

SERVER = ServerWithTinyModel

NOTICED_MS = 400
"""What a person takes between two actions."""
TRIES = 40
PATIENCE_MS = 30_000


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def held(server: Server) -> Iterator[None]:
    """Let the server do nothing, as one that is busy elsewhere."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def open_from_list(page: Page, server: Server, desk: Desk, name: str) -> str:
    """Enter a film and open it from the list, so that there is a page to go back to."""
    film = radiograph_dataset(film_pixels(64, 64), PatientID=name, PatientName=f"{name}^Anna")
    entry_id = desk.enter(dicom_bytes(film), 0.9)
    page.goto(server.url)
    expect(page.get_by_role("textbox", name="Reader")).to_have_value(re.compile(r"\S"))
    wait_idle(page)
    page.get_by_role("button", name="Open next").click()
    expect(page.locator(f".viewer[data-entry='{entry_id}'][data-ready='true']")).to_be_visible()
    wait_idle(page)
    return entry_id


def reviews_once(page: Page, desk: Desk, film: str, count: int) -> list[Review]:
    """Return the reviews of a film, oldest first, once there are so many."""
    given: list[Review] = []
    for _ in range(TRIES):
        given = desk.worklist.reviews.of_film(film)[::-1]
        if len(given) >= count:
            break
        page.wait_for_timeout(NOTICED_MS)
    return given


def go_back(page: Page) -> None:
    page.wait_for_timeout(NOTICED_MS)
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_timeout(NOTICED_MS)


@pytest.mark.parametrize("how", ["key", "click"])
def test_a_verdict_counts(how: str, desk: Desk, server: Server, page: Page) -> None:
    film = open_from_list(page, server, desk, f"Rohrdommel {how}")
    with held(server):
        if how == "key":
            page.keyboard.press("y")
        else:
            page.locator(".st-key-verdicts button").filter(has_text="No pneumonia").click()
        go_back(page)
    expect(page.get_by_role("button", name="Open next")).to_be_visible()
    verdict = Verdict.AGREE if how == "key" else Verdict.DISAGREE
    assert [each.verdict for each in reviews_once(page, desk, film, 1)] == [verdict]


def test_a_comment_counts(desk: Desk, server: Server, page: Page) -> None:
    film = open_from_list(page, server, desk, "Saatkraehe")
    page.keyboard.press("c")
    page.keyboard.type("Apex")
    with held(server):
        page.keyboard.press("Enter")
        go_back(page)
    expect(page.get_by_role("button", name="Open next")).to_be_visible()
    assert [each.comment for each in reviews_once(page, desk, film, 1)] == ["Apex"]


def test_a_verdict_taken_back_does_not_count(desk: Desk, server: Server, page: Page) -> None:
    film = open_from_list(page, server, desk, "Trottellumme")
    with held(server):
        page.keyboard.press("x")
        page.keyboard.press("z")  # takes it back, and shows its film where there is one
        go_back(page)
    expect(page.get_by_role("button", name="Open next")).to_be_visible()

    verdict, withdrawal = reviews_once(page, desk, film, 2)
    assert withdrawal.takes_back == verdict.number
    wait_idle(page)
    expect(page.get_by_role("button", name="Open next")).to_be_visible()


def test_the_browser_asks_before_it_forgets_a_verdict(
    desk: Desk, server: Server, page: Page
) -> None:
    asked = answering_no(page)
    film = open_from_list(page, server, desk, "Wendehals")
    with held(server):
        page.keyboard.press("y")
        reload_soon(page)
        wait_for_question(page, asked)
    assert [each.verdict for each in reviews_once(page, desk, film, 1)] == [Verdict.AGREE]
    wait_idle(page)
    reload_soon(page)
    expect(page.locator(f".viewer[data-entry='{film}'][data-ready='true']")).to_be_visible()
    assert asked == ["beforeunload"]  # nothing is left to be sent


def test_the_browser_asks_before_it_forgets_a_draft(desk: Desk, server: Server, page: Page) -> None:
    asked = answering_no(page)
    open_from_list(page, server, desk, "Zaunkoenig")
    page.keyboard.press("c")
    page.keyboard.type("Apex")
    page.keyboard.press("Escape")
    reload_soon(page)
    wait_for_question(page, asked)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Apex")


def answering_no(page: Page) -> list[str]:
    """Stay on the page whenever the browser asks; return what it has asked so far."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def wait_for_question(page: Page, asked: list[str]) -> None:
    for _ in range(TRIES):
        if asked:
            break
        page.wait_for_timeout(NOTICED_MS)
    assert asked == ["beforeunload"]


def reload_soon(page: Page) -> None:
    page.wait_for_timeout(NOTICED_MS)
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(NOTICED_MS)
