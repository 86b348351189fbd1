"""A film beside an earlier one: linked, swapped, laid over each other, and wide enough to read."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import FloatRect, Locator, Page, expect
from pydicom.uid import generate_uid

from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

SERVER = ServerWithTinyModel

PATIENCE_MILLISECONDS = 30_000
USABLE_PIXELS = 340
"""Least width and height of each film at 1024 x 768."""
GREY_STEPS = 2
"""How much a picture that should be the same may differ, of 255: 12 bits are shown as 8."""
AS_ITS_FILE_HAS_IT = {"turn": "0", "inverted": "false", "zoom": "1.000", "window-width": "4096"}
MIDDLE = """canvas => {
  const [x, y] = [canvas.width >> 1, canvas.height >> 1];
  const {data} = canvas.getContext("2d").getImageData(x - 50, y - 50, 100, 100);
  return Array.from({length: 10000}, (_, i) => data[4 * i]);
}"""


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def film(server: Server) -> Iterator[str]:
    """A film of a patient who has an earlier one of the same shadows in a smaller range."""
    assert isinstance(server.data_dir, Path)
    desk = Desk(server.data_dir)
    pixels = film_pixels(600, 500, seed=3)
    shared: dict[str, Any] = {"PatientName": "Example^Ada", "PatientID": "P-1"}
    earlier = radiograph_dataset(
        pixels // 2, window=(1024, 2048), StudyDate="20250101", SOPInstanceUID="1.2.3.1", **shared
    )
    current = radiograph_dataset(
        pixels, window=(2048, 4096), StudyDate="20260101", SOPInstanceUID="1.2.3.2", **shared
    )
    desk.enter(dicom_bytes(earlier), 0.1)
    yield desk.enter(dicom_bytes(current), 0.1, spots=())
    desk.worklist.close()


@pytest.fixture
def films(desk: Desk, emptied: None, request: pytest.FixtureRequest) -> list[str]:
    """The films of a patient from four years, in the order of the list: the newest first."""
    patient = request.node.name
    return [
        desk.enter(
            dicom_bytes(
                radiograph_dataset(
                    film_pixels(300, 250, seed=number),
                    window=(2048, 4096),
                    StudyDate=f"{2026 - number}0101",
                    SOPInstanceUID=generate_uid(entropy_srcs=[patient, str(number)]),
                    PatientName="Sample^Ben",
                    PatientID=sha256(patient.encode()).hexdigest()[:16],
                )
            ),
            probability,
        )
        for number, probability in enumerate([0.995, 0.95, 0.8, 0.6])  # a band each
    ]


def test_two_films_are_looked_at_together(film: str, app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/film?film={film}")
    current = page.locator(f".viewer[data-entry='{film}']")
    earlier = page.locator(".viewer[data-linked]")
    _open_both(page, current, earlier)
    expect(earlier).to_have_attribute("data-linked", "true")
    _check_links(page, current, earlier)
    _check_blends(page, current, earlier)
    page.keyboard.press("9")
    page.keyboard.press("+")
    expect(current).to_have_attribute("data-zoom", "1.250")
    expect(earlier).to_have_attribute("data-linked", "false")
    expect(earlier).to_have_attribute("data-zoom", "1.000")
    _check_sides_and_sizes(page, current, earlier)


@pytest.mark.parametrize("side", ["current", "earlier"])
def test_a_film_that_was_beside_another_opens_as_its_file_has_it(
    side: str, films: list[str], app_url: str, page: Page
) -> None:
    """Whichever of the two was changed; the other goes along, but for its turn."""
    current, earlier = _compare(page, app_url, films[0])
    changed = current if side == "current" else earlier
    changed.get_by_label("Window width").fill("1000")
    for name in ("Flip", "Invert", "Zoom in"):
        changed.get_by_role("button", name=name).click()
    expect(earlier).to_have_attribute("data-zoom", "1.250")
    changed.locator("canvas").press("n")
    alone = page.locator(f".viewer[data-entry='{films[1]}'][data-ready='true']:not([data-side])")
    expect(alone).to_be_visible()
    wait_idle(page)
    assert _view(alone) == AS_ITS_FILE_HAS_IT


def test_two_films_keep_their_views_while_the_comparison_is_closed(
    films: list[str], app_url: str, page: Page
) -> None:
    current, earlier = _compare(page, app_url, films[0])
    current.get_by_role("button", name="Flip").click()
    earlier.get_by_role("button", name="Turn left").click()
    page.keyboard.press("i")
    expect(earlier).to_have_attribute("data-inverted", "true")
    views = [_view(current), _view(earlier)]
    assert [view["turn"] for view in views] == ["0m", "3"]
    page.keyboard.press("e")
    expect(earlier).to_have_count(0)
    wait_idle(page)
    alone = page.locator(f".viewer[data-entry='{films[0]}'][data-ready='true']")
    assert _view(alone) == views[0]
    _open_both(page, alone, earlier)
    assert [_view(current), _view(earlier)] == views


@pytest.mark.parametrize("blend", ["overlay", "difference"])
def test_a_film_over_one_that_is_turned_otherwise_says_so(
    blend: str, films: list[str], app_url: str, page: Page
) -> None:
    """Whichever of the two is turned, before or after they lie over each other."""
    current, earlier = _compare(page, app_url, films[0])
    differently = current.get_by_text("turned or mirrored differently")
    current.get_by_role("button", name="Flip").click()
    expect(differently).to_have_count(0)
    earlier.get_by_label("How the films are compared").select_option(blend)
    expect(differently).to_be_visible()
    earlier.get_by_role("button", name="Flip").click()
    expect(current.get_by_text("not registered")).to_be_visible()
    expect(differently).to_have_count(0)
    current.get_by_role("button", name="Turn left").click()
    expect(differently).to_be_visible()
    page.keyboard.press("r")
    expect(differently).to_be_visible()
    earlier.get_by_role("button", name="Flip").click()
    expect(differently).to_have_count(0)


def _compare(page: Page, app_url: str, film: str) -> tuple[Locator, Locator]:
    page.goto(f"{app_url}/film?film={film}")
    current = page.locator(f".viewer[data-entry='{film}']")
    earlier = page.locator(".viewer[data-linked]")
    _open_both(page, current, earlier)
    return current, earlier


def _view(viewer: Locator) -> dict[str, str | None]:
    return {name: viewer.get_attribute(f"data-{name}") for name in AS_ITS_FILE_HAS_IT}


def _open_both(page: Page, current: Locator, earlier: Locator) -> None:
    expect(current).to_have_attribute("data-ready", "true")
    wait_idle(page)
    page.keyboard.press("e")
    expect(earlier).to_have_attribute("data-ready", "true")
    expect(current).to_have_attribute("data-ready", "true")
    wait_idle(page)


def _check_links(page: Page, current: Locator, earlier: Locator) -> None:
    """Either film takes the other along; a window is the same change of a smaller range."""
    page.keyboard.press("+")
    expect(earlier).to_have_attribute("data-zoom", "1.250")
    earlier.locator("canvas").hover()
    page.mouse.wheel(0, -240)
    expect(current).not_to_have_attribute("data-zoom", "1.250")
    assert current.get_attribute("data-zoom") == earlier.get_attribute("data-zoom")
    current.get_by_label("Window width").fill("2048")
    expect(earlier).to_have_attribute("data-window-width", "1024")
    page.keyboard.press("r")
    expect(earlier).to_have_attribute("data-window-width", "2048")


def _check_blends(page: Page, current: Locator, earlier: Locator) -> None:
    """Lay a film over one of the same shadows: neither differs, nor changes the other."""
    alone = _middle(current)
    page.keyboard.press("8")
    expect(current.get_by_text("not registered")).to_be_visible()
    page.keyboard.press("8")
    _wait_for_grey(page, current, np.full_like(alone, 127.5))
    earlier.get_by_label("How the films are compared").select_option("overlay")
    _wait_for_grey(page, current, alone)
    page.keyboard.press("8")
    page.keyboard.press("8")
    expect(current.get_by_text("not registered")).to_have_count(0)


def _wait_for_grey(page: Page, viewer: Locator, wanted: NDArray[np.float64]) -> None:
    for _ in range(PATIENCE_MILLISECONDS // 100):
        if np.abs(_middle(viewer) - wanted).max() <= GREY_STEPS:
            return
        page.wait_for_timeout(100)
    pytest.fail("the middle of the film does not get the grey that it should have")


def _check_sides_and_sizes(page: Page, current: Locator, earlier: Locator) -> None:
    """Swap the sides, on a narrow screen; what was chosen is there after a reload."""
    page.set_viewport_size({"width": 1024, "height": 768})
    assert _left(current) < _left(earlier)
    page.get_by_role("button", name="Swap", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-films-swapped", "true")
    assert _left(current) > _left(earlier)
    page.reload()
    _open_both(page, current, earlier)
    expect(earlier).to_have_attribute("data-linked", "false")
    assert _left(current) > _left(earlier)
    one, other = _stage(current), _stage(earlier)
    for side in ("width", "height"):
        assert min(one[side], other[side]) >= USABLE_PIXELS
    assert one["y"] == pytest.approx(other["y"], abs=1)
    assert one["height"] == pytest.approx(other["height"], abs=1)
    expect(page.get_by_role("button", name=re.compile("^No pneumonia"))).to_be_visible()


def _middle(viewer: Locator) -> NDArray[np.float64]:
    return np.array(viewer.locator("canvas").evaluate(MIDDLE), np.float64)


def _left(viewer: Locator) -> float:
    return _stage(viewer)["x"]


def _stage(viewer: Locator) -> FloatRect:
    box = viewer.locator(".stage").bounding_box()
    assert box is not None
    return box
