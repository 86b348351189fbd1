"""A study of a frontal and a lateral film: one line in the list, both films on the film's page."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cxr_app.imaging import intake
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.view_words import LATERAL, REASONS
from tests.browser.driving import Server, wait_idle
from tests.support.desk import Desk, scored
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

STUDY = {"PatientName": "Exampleson^Ada", "PatientID": "P-1", "StudyInstanceUID": "1.2.3"}


def film(**header: Any) -> bytes:
    return dicom_bytes(radiograph_dataset(film_pixels(120, 100), **header))


@pytest.fixture(scope="module")
def study(server: Server) -> Iterator[tuple[str, str]]:
    """A frontal film and a lateral one of a study, beside one of another patient."""
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    desk.enter(film(PatientName="Sample^Bo", PatientID="P-2", SOPInstanceUID="1.2.9"), 0.6)
    frontal = desk.enter(film(**STUDY, SOPInstanceUID="1.2.4", ViewPosition="PA"), 0.9)
    side = film(**STUDY, SOPInstanceUID="1.2.5", ViewPosition="LL")
    outcome = Outcome(
        scored(side, 0.1).sha256,
        ScoringState.REJECTED,
        Priority.MEDIUM,
        reason=f"This film cannot be judged: {REASONS[LATERAL]}",
        header=intake.read_radiograph(side).header,
    )
    yield frontal, desk.enter_outcome(side, outcome)
    desk.worklist.close()


def rows(page: Page) -> list[str]:
    films = page.locator("tbody tr[data-film]")
    return list(films.evaluate_all("rows => rows.map(row => row.dataset.film)"))


def pictures(page: Page, name: str) -> None:
    """Keep pictures in two sizes, if a person wants to look at them."""
    wait_idle(page, 60)
    folder = os.environ.get("PICTURES")
    for width, height in ((1440, 900), (1024, 768)) if folder else ():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        page.screenshot(path=Path(folder or "") / f"{name}-{width}.png")


def test_a_study_is_one_line_and_its_films_lead_to_each_other(
    page: Page, app_url: str, study: tuple[str, str]
) -> None:
    frontal, side = study
    expect.set_options(timeout=60_000)
    page.goto(app_url)
    page.locator("tbody tr[data-film]").first.wait_for()
    wait_idle(page, 60)
    assert len(rows(page)) == 3
    page.get_by_text("By study").click()
    expect(page.locator("tbody tr[data-film]")).to_have_count(2)
    assert frontal in rows(page)
    expect(page.locator(f"tr[data-film='{frontal}']")).to_contain_text("2: PA, LL")
    pictures(page, "list")
    page.reload()
    expect(page.locator("tbody tr[data-film]")).to_have_count(2)
    wait_idle(page, 60)
    page.locator(f"tr[data-film='{frontal}'] td[data-column='tier']").click()
    other = page.get_by_role("button", name="LL · needs no score")
    expect(other).to_be_visible()
    small = page.locator("img.small-film")
    assert small.evaluate("async image => { await image.decode(); return image.naturalWidth; }")
    pictures(page, "film")
    other.click()
    expect(page.get_by_role("button", name="PA · flagged, 90 %")).to_be_visible()
    expect(page.get_by_text("it is a lateral view")).to_be_visible()
    assert side in page.url
    pictures(page, "lateral")
