"""The film viewer in a real browser: exact grey values, and a hand and keys that it follows."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from cxr_app.imaging.windowing import brightness
from cxr_app.outcome import ScoringState
from cxr_app.radiograph import VOILUTFunction, Window
from cxr_app.worklist import Query
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support import desk as hand_scored
from tests.support.desk import Desk, evidence
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.films import jpeg

SERVER = ServerWithTinyModel

MARKUP = "<img src=x>"
CENTRE = """canvas => {
  const [x, y] = [canvas.width >> 1, canvas.height >> 1];
  const {data} = canvas.getContext("2d").getImageData(x - 50, y - 50, 100, 100);
  return Array.from({length: 10000}, (_, i) => data[4 * i]);
}"""
EXTENT = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = {left: 1e9, right: -1, top: 1e9, bottom: -1};
  for (let i = 0; i < data.length; i += 4) if (data[i] > 127) {
    const [x, y] = [(i / 4) % canvas.width, Math.floor(i / 4 / canvas.width)];
    seen.left = Math.min(seen.left, x); seen.right = Math.max(seen.right, x);
    seen.top = Math.min(seen.top, y); seen.bottom = Math.max(seen.bottom, y);
  }
  return seen;
}"""


def open_film(page: Page, server: Server, entry_id: str) -> Locator:
    """Open a film by its address and wait for it."""
    page.goto(f"{server.url}/film?film={entry_id}")
    viewer = page.locator(".viewer")
    expect(viewer).not_to_have_attribute("data-ready", "false", timeout=30_000)
    wait_idle(page)
    return viewer


def scored(desk: Desk, seed: int, **elements: Any) -> str:
    """Enter a drawn DICOM film with two windows into the worklist."""
    elements = {"WindowCenter": [2048, 1000], "WindowWidth": [4096, 800]} | elements
    ds = radiograph_dataset(film_pixels(900, 1200, seed=seed), **elements)
    return desk.enter(dicom_bytes(ds), 0.9, minutes=100 - seed)


def unscored(desk: Desk, data: bytes) -> str:
    """Enter a film on which there is no heat."""
    return desk.enter_refused(data, ScoringState.REJECTED, "Not for the network.")


def fact(viewer: Locator, name: str) -> str:
    return viewer.get_attribute(f"data-{name}") or ""


def drag(page: Page, canvas: Locator, across: int, down: int, button: Any = "left") -> None:
    """Drag from the middle of the film."""
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + across, y + down, steps=4)
    page.mouse.up(button=button)


def middle(pixels: NDArray[Any], canvas: Locator) -> NDArray[Any]:
    """Cut out the part of a film, shown one to one, that `CENTRE` reads from the screen."""
    sides = canvas.evaluate("canvas => [canvas.height, canvas.width]")
    starts = [
        side // 2 - 50 - math.floor(side / 2 - length / 2 + 0.5)
        for side, length in zip(sides, pixels.shape, strict=True)
    ]
    return pixels[starts[0] : starts[0] + 100, starts[1] : starts[1] + 100]


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_grey_values_reach_the_screen_exactly(
    polarity: str, function: str, desk: Desk, server: Server, page: Page
) -> None:
    pixels = film_pixels(900, 1200, seed=7)
    centre = int(np.median(pixels[350:550, 500:700]))
    ds = radiograph_dataset(
        pixels,
        photometric_interpretation=polarity,
        window=(centre, 1700),
        VOILUTFunction=function,
    )
    viewer = open_film(page, server, unscored(desk, dicom_bytes(ds)))
    page.keyboard.press("1")
    viewer.get_by_role("button", name="click for one to one").click()
    canvas = viewer.locator("canvas")
    shown = np.array(canvas.evaluate(CENTRE)).reshape(100, 100)

    window = Window("", centre, 1700, VOILUTFunction(function))
    expected = 255 * brightness(window, middle(pixels, canvas).astype(np.float64))
    expected = 255 - expected if polarity == "MONOCHROME1" else expected
    assert np.ptp(shown) > 5, "the film's middle must have something to compare"
    assert np.abs(shown - expected).max() <= 0.51


def test_keys_change_the_picture_without_the_server(desk: Desk, server: Server, page: Page) -> None:
    viewer = open_film(page, server, scored(desk, 1))
    expect(viewer).to_have_attribute("data-heat", "on")
    page.keyboard.press("Shift")  # a touch: what the page asks by itself waits from now on
    wait_idle(page)
    page.evaluate(
        """() => { window.reruns = 0; const app = document.querySelector("[data-testid=stApp]");
        new MutationObserver(() => { window.reruns += app.dataset.testScriptState === "running"; })
          .observe(app, {attributes: true}); }"""
    )
    before = page.evaluate("performance.getEntriesByType('resource').length")
    for key, name, expected in [
        ("h", "heat", "off"),
        ("h", "heat", "on"),
        ("o", "heat-style", "colour"),
        ("i", "inverted", "true"),
        ("2", "window-center", "1000"),
        ("+", "zoom", "1.250"),
        ("0", "zoom", "1.000"),
        ("l", "hand", "window"),
        ("r", "window-center", "2048"),
    ]:
        page.keyboard.press(key)
        expect(viewer).to_have_attribute(f"data-{name}", expected)
    expect(viewer).to_have_attribute("data-inverted", "false")
    page.wait_for_timeout(500)
    assert page.evaluate("window.reruns") == 0
    assert page.evaluate("performance.getEntriesByType('resource').length") == before


def test_keys_are_letters_while_a_reader_types(desk: Desk, server: Server, page: Page) -> None:
    viewer = open_film(page, server, scored(desk, 1))
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('input'), {id: 'me'}))"
    )
    page.locator("#me").press_sequentially("hi 2")
    assert page.locator("#me").input_value() == "hi 2"
    expect(viewer).to_have_attribute("data-heat", "on")
    expect(viewer).to_have_attribute("data-inverted", "false")


def test_hand_pans_zooms_and_windows(desk: Desk, server: Server, page: Page) -> None:
    viewer = open_film(page, server, scored(desk, 1))
    canvas = viewer.locator("canvas")
    drag(page, canvas, 40, 0, button="right")
    assert float(fact(viewer, "window-width")) > 4096
    assert float(fact(viewer, "window-center")) == 2048
    drag(page, canvas, 0, 40, button="right")
    assert float(fact(viewer, "window-center")) > 2048
    page.mouse.wheel(0, -240)
    expect(viewer).not_to_have_attribute("data-zoom", "1.000")
    before = canvas.evaluate(CENTRE)
    drag(page, canvas, 60, 30)
    assert canvas.evaluate(CENTRE) != before
    canvas.dblclick()
    expect(viewer).to_have_attribute("data-zoom", "1.000")
    viewer.get_by_role("button", name="W/L").click()
    width = float(fact(viewer, "window-width"))
    drag(page, canvas, -40, 0)
    assert float(fact(viewer, "window-width")) < width


def test_a_film_keeps_its_aspect_ratio_in_any_window(
    desk: Desk, server: Server, page: Page
) -> None:
    pixels = np.full((900, 600), 4095, np.uint16)
    pixels[:2] = 0  # a film of one value has no range to window
    ds = radiograph_dataset(pixels, window=(2000, 4000))
    viewer = open_film(page, server, unscored(desk, dicom_bytes(ds)))
    for width, height in [(1440, 900), (1024, 768), (900, 1300)]:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(400)
        seen = viewer.locator("canvas").evaluate(EXTENT)
        across, down = seen["right"] - seen["left"] + 1, seen["bottom"] - seen["top"] + 1
        assert across / down == pytest.approx(600 / 898, rel=0.02)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_heat_choice_goes_along_to_the_next_film_and_the_window_does_not(
    desk: Desk, server: Server, page: Page
) -> None:
    first, second = scored(desk, 11), scored(desk, 12)
    viewer = open_film(page, server, first)
    for key in ("h", "2", "+"):
        page.keyboard.press(key)
    expect(viewer).to_have_attribute("data-window-center", "1000")
    viewer = open_film(page, server, second)
    expect(viewer).to_have_attribute("data-heat", "off")
    expect(viewer).to_have_attribute("data-window-center", "2048")
    expect(viewer).to_have_attribute("data-zoom", "1.000")


def test_the_view_stays_while_the_page_runs_again(desk: Desk, server: Server, page: Page) -> None:
    viewer = open_film(page, server, scored(desk, 21))
    for key in ("2", "+", "i"):
        page.keyboard.press(key)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()
    expect(viewer).to_have_attribute("data-window-center", "1000")
    expect(viewer).to_have_attribute("data-zoom", "1.250")
    expect(viewer).to_have_attribute("data-inverted", "true")


def test_next_key_opens_the_next_film(desk: Desk, server: Server, page: Page) -> None:
    for seed in (31, 32):  # on top, and so opened by no reader before
        desk.enter(jpeg(seed), 0.91, minutes=5000)
    top = desk.worklist.page(Query(), limit=2)
    viewer = open_film(page, server, top[0].id)
    page.keyboard.press("n")
    expect(viewer).to_have_attribute("data-entry", top[1].id)
    expect(viewer).to_have_attribute("data-ready", "true")
    page.keyboard.press("p")
    expect(viewer).to_have_attribute("data-entry", top[0].id)


def test_a_map_with_nothing_to_show_says_so(desk: Desk, server: Server, page: Page) -> None:
    entry_id = desk.enter(jpeg(41), 0.02, spots=())
    viewer = open_film(page, server, entry_id)
    expect(viewer).to_have_attribute("data-heat", "empty")
    expect(viewer.get_by_text("No area stands out")).to_be_visible()


def test_heat_too_faint_for_an_outline_is_not_passed_over(
    desk: Desk, server: Server, page: Page
) -> None:
    outcome = hand_scored.scored(data := jpeg(42), 0.66)
    assert outcome.prediction is not None
    faint = replace(outcome.prediction, activation_map=evidence((3, 3), strength=0.3))
    viewer = open_film(page, server, desk.enter_outcome(data, replace(outcome, prediction=faint)))
    expect(viewer).to_have_attribute("data-heat", "on")
    expect(viewer.get_by_text("Too faint to outline")).to_be_visible()
    page.keyboard.press("o")  # shows the colours
    expect(viewer.get_by_text("Too faint to outline")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 1024])
def test_a_film_has_its_size_whatever_the_heatmap_says(
    width: int, desk: Desk, server: Server, page: Page
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sizes = set()
    for number, (strength, heat) in enumerate({0.0: "empty", 0.3: "on", 1.0: "on"}.items()):
        data = jpeg(50 + number + width)
        shown = evidence((3, 3), strength=strength) if strength else evidence()
        found = hand_scored.scored(data, 0.66)
        assert found.prediction is not None
        found = replace(found, prediction=replace(found.prediction, activation_map=shown))
        viewer = open_film(page, server, desk.enter_outcome(data, found))
        expect(viewer).to_have_attribute("data-heat", heat)
        for key in ("", "o", "h", "h", "o"):
            if key:
                page.keyboard.press(key)
            sizes.add(str(viewer.locator("canvas").bounding_box()))
    assert len(sizes) == 1


def test_heat_colours_the_film_and_leaves_no_trace_when_off(
    desk: Desk, server: Server, page: Page
) -> None:
    viewer = open_film(page, server, scored(desk, 1))
    expect(viewer).to_have_attribute("data-heat", "on")
    coloured = """canvas => {
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) count += data[i] !== data[i + 2];
      return count / (canvas.width * canvas.height);
    }"""
    page.wait_for_timeout(200)
    outlined = viewer.locator("canvas").evaluate(coloured)
    page.keyboard.press("o")
    page.wait_for_timeout(100)
    share = viewer.locator("canvas").evaluate(coloured)
    assert 0.005 < share < 0.3
    assert 0 < outlined < share
    page.keyboard.press("h")
    page.wait_for_timeout(100)
    assert viewer.locator("canvas").evaluate(coloured) == 0


def test_names_of_windows_are_text(desk: Desk, server: Server, page: Page) -> None:
    entry_id = scored(desk, 51, WindowCenterWidthExplanation=[MARKUP, "LUNG"])
    viewer = open_film(page, server, entry_id)
    assert MARKUP in viewer.get_by_label("Window preset").inner_text()
    assert viewer.locator("img").count() == 0


def test_a_broken_film_is_a_sentence_in_the_film_s_place(
    desk: Desk, server: Server, page: Page
) -> None:
    entry_id = desk.enter_refused(b"no film", ScoringState.FAILED, "No film at all.")
    viewer = open_film(page, server, entry_id)
    expect(viewer).to_have_attribute("data-ready", "error")
    expect(viewer.locator(".notice")).to_contain_text("neither DICOM")


def test_nothing_is_fetched_from_elsewhere(desk: Desk, server: Server, page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    open_film(page, server, scored(desk, 61))
    strange = [url for url in requested if not url.startswith((server.url, "blob:", "data:"))]
    assert strange == []
