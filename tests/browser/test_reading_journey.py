"""Reading as readers do: by keys alone, two at one desk, masked, and from upload to review."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cxr_app.worklist import Query, Verdict
from tests.browser.conftest import faults_shown, watch
from tests.browser.driving import ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.films import jpeg

SERVER = ServerWithTinyModel

FILMS = 100
PATIENCE_MILLISECONDS = 30_000
"""A busy machine may need much longer than an idle one."""


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait for what a page shows as long as a busy machine may need."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


def add(desk: Desk, number: int, probability: float = 0.8) -> str:
    """Receive and score a film; the higher its number, the longer it waits."""
    ds = radiograph_dataset(
        film_pixels(64, 64, seed=number),
        PatientID=f"P-{number:04d}",
        PatientName=f"Weissenberg{number}^Anna",
        AccessionNumber=f"A-{number:03d}",
    )
    return desk.enter(dicom_bytes(ds), probability, f"film{number}.dcm", minutes=10 + number)


def open_film(page: Page, url: str, entry_id: str) -> None:
    """Open a film by its address, and wait until its reader is known and it is in sight."""
    page.goto(f"{url}/film?film={entry_id}")
    expect_film(page, entry_id)
    expect(page.get_by_role("textbox", name="Reader")).to_have_value(re.compile(r"\S"))
    wait_idle(page)


def expect_film(page: Page, entry_id: str) -> None:
    """The viewer shows this very film, and the page is ready for the next key."""
    expect(page.locator(f".viewer[data-entry='{entry_id}'][data-ready='true']")).to_be_visible()
    wait_idle(page)


def call_oneself(page: Page, name: str) -> None:
    """Type the reader's name, as a reader does once in this browser."""
    field = page.get_by_role("textbox", name="Reader")
    field.fill(name)
    field.press("Enter")
    wait_idle(page)
    field.blur()


@pytest.fixture
def quick_page(browser: Browser, console_errors: list[str]) -> Iterator[Page]:
    """A page without the trace that is kept of others, which takes longer than reading does."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    fresh = context.new_page()
    watch(fresh, console_errors)
    yield fresh
    boxes = faults_shown(fresh)
    context.close()
    assert not boxes
    assert not console_errors


def test_a_hundred_films_by_keyboard_alone(desk: Desk, app_url: str, quick_page: Page) -> None:
    page = quick_page
    for number in range(FILMS):
        add(desk, number)
    order = [entry.id for entry in desk.worklist.page(Query(), limit=FILMS)]
    page.goto(app_url)
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Reader")).to_have_value(re.compile(r"\S"))
    wait_idle(page)
    page.keyboard.press("n")
    for place, film in enumerate(order):
        expect(page.locator(f".viewer[data-entry='{film}'][data-ready='true']")).to_be_visible()
        page.keyboard.press("yxu"[place % 3])
        page.keyboard.press("n")  # at once, as a hurried reader does
    expect(page.locator(".st-key-reading .reviews")).to_contain_text("pneumonia")  # of the last
    wait_idle(page)
    answer = [[review.verdict for review in desk.worklist.reviews.of_film(film)] for film in order]
    verdicts = (Verdict.AGREE, Verdict.DISAGREE, Verdict.UNUSABLE)
    assert answer == [[verdicts[place % 3]] for place in range(FILMS)]
    assert desk.worklist.count(Query()) == 0
    expect(page.get_by_role("button", name="Next")).to_be_disabled()


def test_two_readers_and_one_film(
    desk: Desk, app_url: str, page: Page, browser: Browser, console_errors: list[str]
) -> None:
    film = add(desk, 500)
    open_film(page, app_url, film)
    call_oneself(page, "Dr Weiss")
    other = browser.new_context(viewport={"width": 1024, "height": 768})
    second = other.new_page()
    watch(second, console_errors)
    open_film(second, app_url, film)
    call_oneself(second, "Dr Braun")
    expect(second.get_by_text("Open with Dr Weiss")).to_be_visible()
    expect(second.get_by_role("button", name="No pneumonia")).to_have_count(0)
    second.keyboard.press("t")
    expect(second.get_by_role("button", name="No pneumonia")).to_be_visible()
    wait_idle(second)
    second.keyboard.press("x")
    expect(second.get_by_text("Dr Braun no pneumonia, against the flag")).to_be_visible()
    wait_idle(page)
    page.keyboard.press("y")  # Dr Weiss does not know yet
    expect(page.get_by_text("Open with Dr Braun").first).to_be_visible()
    other.close()
    answer = [(review.reader, review.verdict) for review in desk.worklist.reviews.of_film(film)]
    assert answer == [("Dr Braun", Verdict.DISAGREE)]


def test_a_name_is_kept_by_the_browser(
    desk: Desk, app_url: str, page: Page, context: BrowserContext, console_errors: list[str]
) -> None:
    film = add(desk, 501)
    open_film(page, app_url, film)
    call_oneself(page, "Dr Weiss")
    again = context.new_page()
    watch(again, console_errors)
    again.goto(app_url)
    expect(again.get_by_role("textbox", name="Reader")).to_have_value("Dr Weiss")


def test_masked_identities_are_nowhere_in_the_page(desk: Desk, app_url: str, page: Page) -> None:
    film = add(desk, 502)
    open_film(page, app_url, film)
    expect(page.get_by_text("Weissenberg502").first).to_be_visible()
    page.get_by_text("Mask identities").click()
    expect(page.get_by_text(re.compile("P-[0-9A-F]{8}")).first).to_be_visible()
    wait_idle(page)
    assert not re.search("Weissenberg|P-0502|A-502|film502", page.content())
    page.get_by_role("button", name="Worklist").click()
    expect(page.locator(f"tbody tr[data-film='{film}']")).to_be_visible()
    wait_idle(page)
    assert "Weissenberg" not in page.content()


def test_keys_are_keys_again_after_the_switch_was_used(
    desk: Desk, app_url: str, page: Page
) -> None:
    open_film(page, app_url, add(desk, 504))
    page.get_by_role("switch", name="Mask identities").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("P-[0-9A-F]{8}")).first).to_be_visible()
    wait_idle(page)
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()


def test_a_comment_lands_on_the_film_it_was_typed_at(desk: Desk, app_url: str, page: Page) -> None:
    first, second = add(desk, 511), add(desk, 510)
    open_film(page, app_url, first)
    page.keyboard.press("n")
    expect_film(page, second)
    page.keyboard.press("c")
    page.keyboard.type("of the second")
    page.go_back()
    expect_film(page, first)
    field = page.get_by_role("textbox", name="Comment")
    expect(field).to_have_value("")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    expect_film(page, second)
    expect(field).to_have_value("of the second")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-reading")).to_contain_text("of the second")
    comments = [
        [each.comment for each in desk.worklist.reviews.of_film(film)] for film in (first, second)
    ]
    assert comments == [[], ["of the second"]]


def test_the_way_back_after_a_verdict(desk: Desk, app_url: str, page: Page) -> None:
    first, second = add(desk, 521), add(desk, 520)
    open_film(page, app_url, first)
    page.keyboard.press("y")
    page.keyboard.press("n")
    expect_film(page, second)
    page.keyboard.press("p")
    expect_film(page, first)
    expect(page.locator(".reviews")).to_contain_text("pneumonia")
    page.keyboard.press("n")
    expect_film(page, second)
    page.keyboard.press("z")
    expect_film(page, first)
    expect(page.locator(".reviews")).to_contain_text("taken back")
    assert desk.worklist.entry(first).read_at is None


def test_from_upload_to_review(desk: Desk, app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/upload")
    film = jpeg(77)
    page.locator("input[type='file']").first.set_input_files(
        {"name": "child.jpeg", "mimeType": "image/jpeg", "buffer": film}
    )
    row = page.locator("tbody tr", has_text="child.jpeg")
    expect(row).to_be_visible()
    entry_id = row.get_attribute("data-film")
    assert entry_id is not None
    expect(page.get_by_text("1 of 1 film done.")).to_be_visible()
    wait_idle(page)
    row.click()
    expect_film(page, entry_id)
    page.keyboard.press("c")
    page.keyboard.type("Rotated; repeat.")
    page.keyboard.press("Enter")
    expect(page.locator(".reviews").get_by_text("Rotated; repeat.")).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name="Not usable").click()
    expect(page.locator(".reviews").get_by_text("film not usable")).to_be_visible()
    verdicts = [review.verdict for review in desk.worklist.reviews.of_film(entry_id)]
    assert verdicts == [Verdict.UNUSABLE, None]


def test_the_help_card_lists_the_keys(desk: Desk, app_url: str, page: Page) -> None:
    film = add(desk, 503)
    open_film(page, app_url, film)
    page.locator(".viewer canvas").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    expect(page.get_by_text("not a usable film", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
