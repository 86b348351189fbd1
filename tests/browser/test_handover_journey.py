"""Handing over: urgency, assignment, notes and views, as two readers use them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cxr_app.worklist import Query
from tests.browser.conftest import watch
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

SERVER = ServerWithTinyModel

PATIENCE_MILLISECONDS = 60_000


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def desk(server: Server) -> Iterator[Desk]:
    assert isinstance(server.data_dir, Path)
    opened = Desk(server.data_dir)
    for number, probability in enumerate((0.95, 0.9, 0.02)):
        ds = radiograph_dataset(film_pixels(64, 64, seed=number), PatientID=f"P-{number}")
        opened.enter(dicom_bytes(ds), probability, f"film{number}.dcm", minutes=10 + number)
    yield opened
    opened.worklist.close()


def call_oneself(page: Page, name: str) -> None:
    field = page.get_by_role("textbox", name="Reader")
    expect(field).to_have_value(re.compile(r"\S"))
    wait_idle(page)
    field.fill(name)
    field.press("Enter")
    wait_idle(page)


def open_forms(page: Page) -> None:
    """Open the forms, unless they are open still: a redrawn page may close them."""
    wait_idle(page)
    if not page.get_by_role("button", name="Mark as urgent").is_visible():
        page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("button", name="Mark as urgent")).to_be_visible()


def hand_over(page: Page, to: str) -> None:
    """Mark the open film as urgent, leave a note on it, and assign it."""
    open_forms(page)
    page.get_by_role("textbox", name="Urgent because").fill("ICU asks")
    page.get_by_role("button", name="Mark as urgent").click()
    expect(page.get_by_text("Urgent: ICU asks")).to_be_visible()
    open_forms(page)
    page.get_by_role("textbox", name="Note to the next reader").fill("Compare *with* the CT")
    page.get_by_role("button", name="Leave the note").click()
    expect(page.get_by_text("Compare *with* the CT")).to_be_visible()
    open_forms(page)
    choice = page.get_by_role("combobox", name="For the reader")
    choice.fill(to)
    choice.press("Enter")
    wait_idle(page)
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text(f"For {to}")).to_be_visible()


@pytest.fixture
def second(browser: Browser, app_url: str, console_errors: list[str]) -> Iterator[Page]:
    """The page of another reader, who wants to hear of urgent films."""
    context = browser.new_context(viewport={"width": 1024, "height": 768})
    fresh = context.new_page()
    watch(fresh, console_errors)
    fresh.goto(app_url)
    call_oneself(fresh, "Dr Braun")
    fresh.get_by_role("button", name="Sound for urgent films: off").click()
    yield fresh
    context.close()


def test_a_film_is_handed_over(desk: Desk, app_url: str, page: Page, second: Page) -> None:
    last = desk.worklist.page(Query())[-1].id
    signal = second.get_by_role("button", name="Sound for urgent films: on")
    expect(signal).to_have_attribute("data-sounded", "1")  # so that the reader knows it

    page.goto(app_url)
    call_oneself(page, "Dr Weiss")
    page.locator(f"tbody tr[data-film='{last}']").click()
    expect(page.locator(f".viewer[data-entry='{last}'][data-ready='true']")).to_be_visible()
    wait_idle(page)
    hand_over(page, "Dr Braun")

    expect(second).to_have_title(re.compile(r"^\(1 urgent\) "))
    expect(signal).to_have_attribute("data-sounded", "2")
    expect(second.locator("tbody tr").first).to_have_attribute("data-film", last)
    expect(second.locator("tbody tr").first).to_contain_text("▲ ICU asks")
    second.get_by_text("My list").click()
    expect(second.locator("tbody tr")).to_have_count(1)
    second.locator("tbody tr").first.click()
    expect(second.get_by_text("Compare *with* the CT")).to_be_visible()
    wait_idle(second)
    second.get_by_role("button", name="Done").click()
    expect(second.get_by_text("Compare *with* the CT")).to_have_count(0)
    wait_idle(second)
    second.get_by_role("button", name="Not urgent").click()
    expect(second.get_by_text("Urgent: ICU asks")).to_have_count(0)
    assert desk.worklist.page(Query())[-1].id == last
    (note,) = desk.worklist.room.notes.of_films([last])[last]
    assert (note.reader, note.settled_by) == ("Dr Weiss", "Dr Braun")


def test_a_view_keeps_filters_order_and_columns(desk: Desk, app_url: str, page: Page) -> None:
    page.goto(app_url)
    expect(page.locator("tbody tr").first).to_be_visible()
    call_oneself(page, "Dr Weiss")
    page.get_by_text("Not flagged", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Choose columns").click()
    page.get_by_role("checkbox", name="Waiting").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("th[data-column='waiting']")).to_have_count(0)
    page.wait_for_timeout(500)
    wait_idle(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("textbox", name="Save this view as").fill("Night")
    page.get_by_role("button", name="Save the view").click()
    expect(page.get_by_role("button", name="Night", exact=True)).to_be_visible()
    (view,) = desk.worklist.room.views.of_reader("Dr Weiss")
    assert view.parameters == {"flag": "not_flagged"}
    assert view.columns["hidden"] == ["waiting"]
    page.keyboard.press("Escape")
    show_everything(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Night", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("th[data-column='waiting']")).to_have_count(0)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No view saved yet.")).to_be_visible()
    assert desk.worklist.room.views.of_reader("Dr Weiss") == []


def show_everything(page: Page) -> None:
    """Take filter and hidden columns away."""
    page.get_by_role("button", name="Choose columns").click()
    page.get_by_role("button", name="As at first").click()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_text("Not flagged", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("th[data-column='waiting']")).to_have_count(1)
    wait_idle(page)
