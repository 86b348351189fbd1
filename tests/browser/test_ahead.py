"""The next film comes at its key, before the server answers, and nothing of another beside it."""

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from cxr_app.worklist import Verdict
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

pytestmark = pytest.mark.usefixtures("emptied")

SERVER = ServerWithTinyModel

PATIENCE_MS = 30_000
BUTTONS = {
    "Previous",
    "P",
    "Next",
    "N",
    "Mark as read",
    "M",
    "Hand over",
    "Worklist",
    "W",
    "expand_more",
}
WORDS = """[...document.querySelectorAll("[data-testid='stMainBlockContainer'] *")]
  .filter((each) => !each.closest(".st-key-banner, style") && each.checkVisibility({
    visibilityProperty: true }))
  .flatMap((each) => [...each.childNodes])
  .filter((each) => each.nodeType === Node.TEXT_NODE)
  .map((each) => each.textContent.trim())
  .filter(Boolean)"""
"""What the page says around the film, without the banner; the viewer is a document of its own."""
HELD_MS = 500
"""So long a film before would have time to come back."""


class Wire:
    """What a server says to a page, which a test may hold back."""

    def __init__(self, page: Page) -> None:
        self._held: list[tuple[WebSocketRoute, str | bytes]] | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._carry)

    def hold(self) -> None:
        """Let nothing through from now on."""
        self._held = []

    def release(self) -> None:
        """Let everything through that was held, in its order."""
        held, self._held = self._held or [], None
        for route, message in held:
            route.send(message)

    def _carry(self, route: WebSocketRoute) -> None:
        def on_message(message: str | bytes) -> None:
            if self._held is None:
                route.send(message)
            else:
                self._held.append((route, message))

        route.connect_to_server().on_message(on_message)


@pytest.fixture
def wire(page: Page) -> Wire:
    """The connection of the page."""
    expect.set_options(timeout=PATIENCE_MS)
    return Wire(page)


def enter(desk: Desk, *patients: str) -> list[str]:
    """Enter one film of each patient, in the order of the list."""
    return [
        desk.enter(
            dicom_bytes(
                radiograph_dataset(
                    film_pixels(64, 64, seed=number),
                    PatientID=name,
                    PatientName=f"{name}^Anna",
                    StudyDate=f"2026010{number + 1}",
                )
            ),
            0.9 - number / 100,
        )
        for number, name in enumerate(patients)
    ]


def open_film(page: Page, server: Server, entry_id: str) -> None:
    page.goto(f"{server.url}/film?film={entry_id}")
    in_view(page, entry_id)
    expect(page.get_by_role("textbox", name="Reader")).to_have_value(re.compile(r"\S"))
    wait_idle(page)


def words_in_sight(page: Page) -> set[str]:
    return set(page.evaluate(WORDS))


def in_view(page: Page, entry_id: str) -> None:
    expect(page.locator(f".viewer[data-entry='{entry_id}'][data-ready='true']")).to_be_visible()


def test_the_next_film_comes_before_the_server_answers(
    desk: Desk, server: Server, page: Page, wire: Wire
) -> None:
    first, second = enter(desk, "Adler", "Buchfink")
    open_film(page, server, first)
    wire.hold()
    page.keyboard.press("n")
    in_view(page, second)
    expect(page.get_by_text("Investigational use")).to_be_visible()
    assert words_in_sight(page) == BUTTONS
    page.keyboard.press("y")  # of the film in view
    page.keyboard.press("k")  # a button of the film before has it
    page.wait_for_timeout(HELD_MS)
    in_view(page, second)
    wire.release()
    expect(page.get_by_role("heading", name="Buchfink")).to_be_visible()
    expect(page.locator(".st-key-film_side")).to_be_visible()
    expect(page.locator(".st-key-reading .reviews")).to_contain_text("pneumonia")
    given = [
        [each.verdict for each in desk.worklist.reviews.of_film(film)] for film in (first, second)
    ]
    assert given == [[], [Verdict.AGREE]]


def test_a_comment_waits_for_the_field_of_its_film(
    desk: Desk, server: Server, page: Page, wire: Wire
) -> None:
    first, second = enter(desk, "Nachtigall", "Ortolan")
    open_film(page, server, first)
    wire.hold()
    page.keyboard.press("n")
    in_view(page, second)
    page.keyboard.press("c")
    page.keyboard.press("y")  # too early for the field, and not meant as a verdict
    wire.release()
    expect(page.get_by_role("textbox", name="Comment")).to_be_focused()
    page.keyboard.type("Apex")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-reading .reviews")).to_contain_text("Apex")
    given = [(each.verdict, each.comment) for each in desk.worklist.reviews.of_film(second)]
    assert given == [(None, "Apex")]
    assert not desk.worklist.reviews.of_film(first)


def test_what_was_said_before_the_key_brings_no_film_back(
    desk: Desk, server: Server, page: Page, wire: Wire
) -> None:
    first, second = enter(desk, "Dohle", "Eichelhaeher")
    open_film(page, server, first)
    wire.hold()
    page.keyboard.press("m")  # the page will be drawn with the first film once more
    page.keyboard.press("n")
    in_view(page, second)
    wire.release()
    expect(page.get_by_role("heading", name="Eichelhaeher")).to_be_visible()
    in_view(page, second)
    assert desk.worklist.entry(first).read_at is not None
    assert desk.worklist.entry(second).read_at is None


def test_the_server_has_the_last_word(desk: Desk, server: Server, page: Page, wire: Wire) -> None:
    first, second, third = enter(desk, "Fasan", "Gimpel", "Habicht")
    open_film(page, server, first)
    desk.worklist.claims.claim(second, "Dr Braun")  # opened by another reader meanwhile
    wire.hold()
    page.keyboard.press("n")
    in_view(page, second)
    wire.release()
    in_view(page, third)
    expect(page.get_by_role("heading", name="Habicht")).to_be_visible()


def test_the_film_before_comes_at_its_key_too(
    desk: Desk, server: Server, page: Page, wire: Wire
) -> None:
    first, _ = enter(desk, "Ibis", "Kiebitz")
    open_film(page, server, first)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Kiebitz")).to_be_visible()
    wait_idle(page)
    wire.hold()
    page.keyboard.press("p")
    in_view(page, first)
    expect(page.get_by_role("heading", name="Kiebitz")).to_be_hidden()
    wire.release()
    expect(page.get_by_role("heading", name="Ibis")).to_be_visible()


def test_two_films_compared_wait_for_the_server(
    desk: Desk, server: Server, page: Page, wire: Wire
) -> None:
    _, first, second = enter(desk, "Lerche", "Lerche", "Meise")
    open_film(page, server, first)
    page.keyboard.press("e")
    expect(page.locator(".viewer[data-ready='true']")).to_have_count(2)
    wait_idle(page)
    wire.hold()
    page.keyboard.press("n")
    page.wait_for_timeout(HELD_MS)
    in_view(page, first)
    expect(page.get_by_role("heading", name="Lerche")).to_be_visible()
    wire.release()
    in_view(page, second)
