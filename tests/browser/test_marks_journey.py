"""Measuring on the film: by hand and by keys, kept, listed, in the report, and taken back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

SERVER = ServerWithTinyModel

PATIENCE_MILLISECONDS = 30_000
FILM_MM = 320.0
"""Width and height of the film: 400 pixels of 0.8 mm."""


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


def test_lengths_and_ratio_are_kept_with_the_film(desk: Desk, app_url: str, page: Page) -> None:
    ds = radiograph_dataset(film_pixels(400, 400), PatientID="P-1", ImagerPixelSpacing=[0.8, 0.8])
    film = desk.enter(dicom_bytes(ds), 0.9)
    page.goto(app_url)
    expect(page.get_by_role("textbox", name="Reader")).to_have_value(re.compile(r"\S"))
    page.locator(f"tbody tr[data-film='{film}']").click()
    expect(page.locator(".viewer[data-ready='true']")).to_be_visible()
    wait_idle(page)
    page.keyboard.press("d")  # from the middle, 20 steps of a hundredth of the film to the right
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    marks = page.locator(".st-key-marks")
    expect(marks).to_contain_text(f"Length: {0.2 * FILM_MM:.1f} mm (at the detector)")
    wait_idle(page)
    page.keyboard.press("j")
    box = page.locator(".viewer canvas").bounding_box()
    assert box is not None
    for across in (-50, 50, -100, 100):
        page.mouse.click(box["x"] + box["width"] / 2 + across, box["y"] + box["height"] / 2)
    expect(marks).to_contain_text("Cardiothoracic ratio: 0.50")
    wait_idle(page)
    page.get_by_text("Report", exact=True).click()
    expect(page.get_by_text("cardiothoracic ratio 0.50")).to_be_visible()
    marks.get_by_role("button", name="Take back").first.click()
    expect(marks).not_to_contain_text("Length")
    kinds = [each.measurement.kind for each in desk.worklist.room.annotations.of_film(film)]
    assert kinds == ["ratio"]


def test_a_turned_film_is_measured_as_it_was_sent(desk: Desk, app_url: str, page: Page) -> None:
    ds = radiograph_dataset(film_pixels(300, 400), PatientID="P-2", ImagerPixelSpacing=[0.8, 0.8])
    film = desk.enter(dicom_bytes(ds), 0.9)
    page.goto(f"{app_url}/film?film={film}")
    viewer = page.locator(".viewer[data-ready='true']")
    expect(viewer).to_be_visible()
    wait_idle(page)
    page.keyboard.press(".")
    page.keyboard.press("6")
    expect(viewer).to_have_attribute("data-turn", "1m")
    expect(viewer.locator(".turned")).to_contain_text("Turned 90° clockwise, mirrored")
    page.keyboard.press("7")
    expect(viewer).to_have_attribute("data-lens", "on")
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("ArrowDown")  # a fifth of the turned film's height: of the width sent
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-marks")).to_contain_text("Length: 64.0 mm (at the detector)")
    [mark] = desk.worklist.room.annotations.of_film(film)
    points = [coordinate for point in mark.measurement.points for coordinate in point]
    assert points == pytest.approx([0.5, 0.5, 0.7, 0.5])
    assert desk.worklist.entry(film).pose.changes_nothing
    page.keyboard.press("r")
    expect(viewer).to_have_attribute("data-turn", "0")
    expect(viewer.locator(".turned")).to_be_empty()
    _mark_as_key_image(page)
    page.keyboard.press("w")
    expect(page.locator(f"tbody tr[data-film='{film}']")).to_contain_text("★")


def _mark_as_key_image(page: Page) -> None:
    """Mark the whole film twice: it is kept once."""
    wait_idle(page)
    page.keyboard.press("*")
    page.keyboard.press("*")
    marks = page.locator(".st-key-marks")
    expect(marks).to_contain_text("Key image: whole film")
    wait_idle(page)
    expect(marks.get_by_text("Key image")).to_have_count(1)
