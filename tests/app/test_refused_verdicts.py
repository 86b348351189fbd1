"""A verdict is refused for the same reasons by click and by key, and the page says why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.ui.panels import film_images, review_panel
from cxr_app.ui.text import formatting
from cxr_app.worklist import Cause, Claim, Entry, Verdict, Worklist
from tests.app.test_reading import read as read
from tests.support.worklists import failed, scored

Opener = Callable[..., AppTest]
Press = Callable[[AppTest, str, str], None]
MARK = "m"
BUTTONS = {MARK: "mark_read", "y": "pneumonia", "x": "no_pneumonia", "s": "unsure", "u": "unusable"}
CAUSES = {"b": Cause.BACTERIAL, "v": Cause.VIRAL, "q": Cause.UNCLEAR}
SAID = [letter for letter in (*BUTTONS, *CAUSES) if letter != MARK]


def by_key(app: AppTest, film: str, letter: str) -> None:
    """Press a key at a film; the page acts on it before it is drawn."""
    with pytest.MonkeyPatch.context() as patch:
        claim, presses = review_panel.claim, [letter]

        def press_and_claim(entry: Entry) -> Claim | None:
            while presses:
                film_images._on_key(presses.pop(), film)
            return claim(entry)

        patch.setattr(review_panel, "claim", press_and_claim)
        app.run()


def by_click(app: AppTest, film: str, letter: str) -> None:
    """Click the button that the page shows, however old the page is."""
    if letter in CAUSES:
        app.button_group(key=f"cause_{film}_Weiss").select(CAUSES[letter]).run()
    else:
        app.button(key=f"{BUTTONS[letter]}_{film}").click().run()


def toasts(app: AppTest) -> list[str]:
    assert not app.exception
    return [each.value for each in app.toast]


@pytest.mark.parametrize("press", [by_key, by_click])
@pytest.mark.parametrize("letter", SAID)
def test_another_has_taken_the_film_over(
    worklist: Worklist, read: Opener, press: Press, letter: str
) -> None:
    film = scored(worklist, 0.9)
    worklist.reviews.add(film, "Weiss", True)
    app = read(film)
    worklist.claims.claim(film, "Gr_a_u", take_over=True)
    press(app, film, letter)
    assert len(worklist.reviews.of_film(film)) == 1
    said = "Open with Gr_a_u. Take it over first (key T)."
    assert toasts(app) == [formatting.escape_markdown(said)]
    assert app.button(key="take_over")


@pytest.mark.parametrize("press", [by_key, by_click])
@pytest.mark.parametrize("letter", [*BUTTONS, *CAUSES])
def test_the_film_was_deleted_meanwhile(
    worklist: Worklist, read: Opener, press: Press, letter: str
) -> None:
    film = scored(worklist, 0.9)
    worklist.reviews.add(film, "Weiss", True)
    app = read(film)
    delete(worklist, film)
    press(app, film, letter)
    assert len(worklist.reviews.of_film(film)) == 1
    assert worklist.entry(film).read_at is not None
    (said,) = toasts(app)
    assert said.startswith("This film was deleted on ")


@pytest.mark.parametrize("letter", ["y", "x", "s"])
def test_a_film_without_a_flag_can_only_be_called_unusable(
    worklist: Worklist, read: Opener, letter: str
) -> None:
    film = failed(worklist, "The file is cut short.")
    app = read(film)
    by_key(app, film, letter)
    assert worklist.reviews.of_film(film) == []
    said = "This film has no score: only Not usable (key U) can be said of it."
    assert toasts(app) == [formatting.escape_markdown(said)]
    by_key(app, film, "u")
    assert [each.verdict for each in worklist.reviews.of_film(film)] == [Verdict.UNUSABLE]


@pytest.mark.parametrize("press", [by_key, by_click])
@pytest.mark.parametrize("letter", SAID)
def test_both_ways_record_the_same(
    worklist: Worklist, read: Opener, press: Press, letter: str
) -> None:
    film = scored(worklist, 0.9)
    worklist.reviews.add(film, "Weiss", letter in CAUSES)
    press(read(film), film, letter)
    given = worklist.reviews.of_film(film)[0]
    assert given.cause == CAUSES.get(letter)
    assert given.pneumonia == {"x": False, "s": None, "u": None}.get(letter, True)


@pytest.mark.parametrize("press", [by_key, by_click])
@pytest.mark.parametrize("answer", [False, Verdict.UNSURE, None])
def test_a_cause_without_pneumonia_makes_no_verdict(
    worklist: Worklist, read: Opener, press: Press, answer: bool | Verdict | None
) -> None:
    film = scored(worklist, 0.9)
    if answer is not None:
        worklist.reviews.add(film, "Weiss", answer)
    before = worklist.reviews.of_film(film)
    press(read(film), film, "v")
    assert worklist.reviews.of_film(film) == before


def delete(worklist: Worklist, film: str) -> None:
    """Delete a film as retention does."""
    later = datetime.now(UTC) + timedelta(days=1)
    assert worklist.deletions.delete(film, later, lambda _: None)
