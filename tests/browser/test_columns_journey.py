"""The list's columns as a reader wants them, and a row opened to a preview."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

LONG = "Exampleson-Longname^Adelaide Beatrice"


@pytest.fixture(scope="module")
def film(server: Server) -> Iterator[str]:
    assert server.data_dir is not None
    server.wait_for_model()
    desk = Desk(server.data_dir)
    ds = radiograph_dataset(film_pixels(120, 100), PatientName=LONG, PatientID="P-1")
    yield desk.enter(dicom_bytes(ds), 0.9)
    desk.worklist.close()


@pytest.fixture
def listed(page: Page, app_url: str, film: str) -> Page:
    expect.set_options(timeout=60_000)
    page.goto(app_url)
    page.locator("tbody tr[data-film]").wait_for()
    wait_idle(page, 60)
    return page


def heads(page: Page) -> list[str]:
    cells = page.locator("thead th[data-column]")
    return list(cells.evaluate_all("cells => cells.map(cell => cell.dataset.column)"))


def test_empty_columns_are_left_out_and_the_reader_chooses_orders_and_widens_the_others(
    listed: Page,
) -> None:
    assert "cause" in heads(listed)
    assert "note" not in heads(listed)
    listed.get_by_role("button", name="Choose columns").click()
    listed.get_by_role("checkbox", name="Cause").uncheck()
    listed.get_by_role("button", name="Name earlier").click()
    listed.get_by_role("button", name="Close").click()
    chosen = heads(listed)
    assert "cause" not in chosen
    assert chosen.index("patient_name") < chosen.index("patient_id")
    head = listed.locator("th[data-column='patient_name']")
    before = head.bounding_box()
    assert before is not None
    listed.mouse.move(before["x"] + before["width"] - 2, before["y"] + 8)
    listed.mouse.down()
    listed.mouse.move(before["x"] + before["width"] + 120, before["y"] + 8)
    listed.mouse.up()
    after = head.bounding_box()
    assert after is not None
    assert after["width"] > before["width"] + 40
    listed.reload()
    listed.locator("tbody tr[data-film]").wait_for()
    assert heads(listed) == chosen
    listed.get_by_role("button", name="Choose columns").click()
    listed.get_by_role("button", name="As at first").click()
    listed.get_by_role("button", name="Close").click()
    assert "cause" in heads(listed)


def test_a_row_opens_to_a_preview_by_key_or_button_and_stays_a_row(listed: Page, film: str) -> None:
    row = listed.locator(f"tr[data-film='{film}']")
    row.focus()
    listed.keyboard.press("ArrowRight")
    preview = listed.locator("tr.preview")
    expect(preview).to_contain_text("Exampleson-Longname, Adelaide Beatrice")
    picture = preview.locator("img")
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }")
    listed.keyboard.press("ArrowLeft")
    expect(preview).to_have_count(0)
    row.get_by_role("button", name="Preview").click()
    expect(preview).to_have_count(1)
    preview.click()
    expect(listed.get_by_role("heading", name="Worklist")).to_be_visible()
    row.locator("td[data-column='tier']").click()
    expect(listed.locator(".viewer")).to_be_visible()
