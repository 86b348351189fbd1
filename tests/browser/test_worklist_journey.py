"""Reading from the worklist: the film that opens is the one that was meant, always."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import watch
from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

FILMS = 12
PATIENCE_MILLISECONDS = 30_000
"""The list looks every 3 s; a busy machine may need much longer."""


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait for what a page shows as long as a busy machine may need."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def desk(server: Server) -> Iterator[Desk]:
    """Films that differ in everything that a column shows."""
    assert isinstance(server.data_dir, Path)
    opened = Desk(server.data_dir)
    for number in range(FILMS):
        add(opened, number, probability=(number * 37 % 100) / 100, minutes=10 + number * 53 % 97)
    yield opened
    opened.worklist.close()


def add(desk: Desk, number: int, probability: float, minutes: int = 0) -> str:
    """Receive and score a film whose patient is named after its number."""
    ds = radiograph_dataset(
        film_pixels(64, 64, seed=number),
        PatientID=f"P-{number:04d}",
        PatientName=f"Name{number * 7 % 12:02d}^Given",
        PatientAge=f"{1 + number * 5 % 9:03d}Y",
        PatientSex="MF"[number % 2],
        AccessionNumber=f"A-{number * 29 % 31:03d}",
        StudyDate=f"202611{1 + number * 11 % 28:02d}",
        ViewPosition=("AP", "PA")[number // 2 % 2],
    )
    return desk.enter(dicom_bytes(ds), probability, f"film{number * 17 % 23:02d}.dcm", minutes)


def open_list(page: Page, address: str) -> Locator:
    """Open the worklist and give its rows."""
    page.goto(address)
    rows = page.locator("tbody tr")
    expect(rows.first).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()  # the browser brings it late
    wait_idle(page, timeout_seconds=60)
    return rows


def sort_by(page: Page, column: str) -> None:
    """Click a column's head and wait until the list is sorted by it."""
    head = page.get_by_role("columnheader", name=column)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", re.compile("ascending|descending"))
    wait_idle(page)


def patient(row: Locator) -> str:
    """The patient of a row."""
    return row.locator("[data-column='patient_id']").inner_text()


def expect_film(page: Page, entry_id: str | None, patient_id: str) -> None:
    """The film page shows this film and this patient."""
    expect(page).to_have_url(re.compile(rf"/film\?.*film={entry_id}"))
    expect(page.get_by_text(patient_id).first).to_be_visible()


def film_of(row: Locator) -> str:
    """The entry that a row stands for."""
    entry_id = row.get_attribute("data-film")
    assert entry_id is not None
    return entry_id


def height_of(row: Locator) -> float:
    """Where on the screen a row is, in pixels from the top."""
    box = row.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize(
    "column", ["Pneumonia", "Waiting", "Name", "Age", "Accession", "Study date", "View", "File"]
)
def test_a_row_chosen_after_sorting_opens_that_very_film(
    desk: Desk, app_url: str, page: Page, column: str
) -> None:
    rows = open_list(page, app_url)
    before = [film_of(row) for row in rows.all()]
    sort_by(page, column)
    after = [film_of(row) for row in rows.all()]
    assert sorted(before) == sorted(after)
    assert before != after
    row = rows.nth(7)
    entry_id, patient_id = film_of(row), patient(row)
    assert desk.worklist.entry(entry_id).header is not None
    row.click()
    expect_film(page, entry_id, patient_id)


def test_a_third_click_on_a_head_brings_the_most_urgent_back(
    desk: Desk, app_url: str, page: Page
) -> None:
    rows = open_list(page, app_url)
    urgent = [film_of(row) for row in rows.all()]
    sort_by(page, "Age")
    head = page.get_by_role("columnheader", name="Age")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    head.get_by_role("button").click()
    expect(head).not_to_have_attribute("aria-sort", re.compile("."))
    assert [film_of(row) for row in rows.all()] == urgent


def test_arrow_and_enter_open_a_film_without_the_mouse(
    desk: Desk, app_url: str, page: Page
) -> None:
    rows = open_list(page, app_url)
    third = rows.nth(2)
    entry_id, patient_id = film_of(third), patient(third)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect_film(page, entry_id, patient_id)


def test_one_key_opens_the_top_film(desk: Desk, app_url: str, page: Page) -> None:
    top = open_list(page, app_url).first
    entry_id, patient_id = film_of(top), patient(top)
    page.keyboard.press("n")
    expect_film(page, entry_id, patient_id)


def test_a_film_that_arrives_moves_nothing_from_under_the_hand(
    desk: Desk, app_url: str, page: Page
) -> None:
    page.set_viewport_size({"width": 1024, "height": 600})  # the list scrolls, the page does not
    rows = open_list(page, app_url)
    page.keyboard.press("ArrowDown")
    standing = rows.nth(1)
    entry_id, patient_id = film_of(standing), patient(standing)
    page.locator(".films").evaluate("box => { box.scrollTop = 40 }")
    place = height_of(standing)
    arrived = add(desk, 100, probability=0.99, minutes=1000)
    expect(page.locator(f"tr[data-film='{arrived}']")).to_be_attached()
    moved = height_of(page.locator(f"tr[data-film='{entry_id}']")) - place
    assert abs(moved) < 1.0
    page.keyboard.press("Enter")
    expect_film(page, entry_id, patient_id)


def test_filters_survive_a_reload_and_work_as_a_link(
    desk: Desk, app_url: str, page: Page, context: BrowserContext, console_errors: list[str]
) -> None:
    open_list(page, app_url)
    page.get_by_role("radio", name="Flagged", exact=True).click()
    expect(page).to_have_url(re.compile("flag=flagged"))
    page.get_by_role("radio", name="● High", exact=True).click()
    expect(page).to_have_url(re.compile("tier=high"))
    page.get_by_role("radio", name="All", exact=True).click()
    expect(page).to_have_url(re.compile("state=all"))
    sort_by(page, "Age")
    wait_idle(page)
    rows = page.locator("tbody tr")
    listed = [film_of(row) for row in rows.all()]
    assert 0 < len(listed) < FILMS
    page.reload()
    expect(rows).to_have_count(len(listed))
    assert [film_of(row) for row in rows.all()] == listed
    second = context.new_page()
    watch(second, console_errors)
    again = open_list(second, page.url)
    expect(again).to_have_count(len(listed))
    assert [film_of(row) for row in again.all()] == listed


def test_a_search_for_a_patient_stays_out_of_the_address(
    desk: Desk, app_url: str, page: Page
) -> None:
    rows = open_list(page, app_url)
    page.get_by_role("searchbox", name="Search").fill("P-0005")
    expect(rows).to_have_count(1)
    assert patient(rows.first) == "P-0005"
    assert "0005" not in page.url


def test_what_is_read_in_one_window_leaves_the_list_in_another(
    desk: Desk, app_url: str, page: Page, context: BrowserContext, console_errors: list[str]
) -> None:
    row = open_list(page, app_url).nth(3)
    entry_id, patient_id = film_of(row), patient(row)
    second = context.new_page()
    watch(second, console_errors)
    open_list(second, f"{app_url}/?sort=patient_id")
    second.locator(f"tr[data-film='{entry_id}']").click()
    expect_film(second, entry_id, patient_id)
    expect(second.get_by_role("button", name="Mark as read")).to_be_visible()
    wait_idle(second)
    second.keyboard.press("m")
    gone = page.locator(f"tr[data-film='{entry_id}']")
    expect(gone).not_to_be_attached()
    assert desk.worklist.entry(entry_id).read_at is not None
    open_list(page, f"{app_url}/?state=read")
    expect(gone).to_be_attached()


def test_a_restart_of_the_server_loses_and_mixes_up_nothing(
    desk: Desk, server: Server, page: Page, console_errors: list[str]
) -> None:
    rows = open_list(page, f"{server.url}/?state=all&sort=patient_id")
    before = [(film_of(row), patient(row)) for row in rows.all()]
    server.kill()
    server.start()
    open_list(page, f"{server.url}/?state=all&sort=patient_id")
    assert [(film_of(row), patient(row)) for row in rows.all()] == before
    rows.nth(4).click()
    expect_film(page, *before[4])
    console_errors.clear()


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900), (3840, 2160)])
def test_the_list_fits_the_screen(
    desk: Desk, app_url: str, page: Page, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_list(page, app_url)
    expect(page.get_by_text("Investigational use: not for diagnosis").first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Open next")).to_be_in_viewport()
    expect(page.locator("tbody tr").first).to_be_in_viewport()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
