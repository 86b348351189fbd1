"""Taking a verdict back: the film is unread again, whatever the reader said of it meanwhile."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.ui import resources
from cxr_app.worklist import Cause, Query, Review, SecondReadingState, Verdict, Worklist
from tests.app.test_reading import read as read
from tests.support.worklists import scored

Opener = Callable[..., AppTest]
WAYS = [
    ["pneumonia", Cause.BACTERIAL],
    ["pneumonia", "pneumonia"],
    ["pneumonia", "no_pneumonia"],
    ["unsure", "unusable", "pneumonia", Cause.VIRAL, Cause.UNCLEAR],
]
"""What a reader may say of one film before taking it back."""


def say(app: AppTest, film: str, *said: str | Cause) -> AppTest:
    """Press these buttons and causes, one after the other."""
    for each in said:
        if isinstance(each, Cause):
            app.button_group(key=f"cause_{film}_Weiss").select(each).run()
        else:
            app.button(key=f"{each}_{film}").click().run()
    return app


def offered(app: AppTest) -> list[str]:
    """Return the keys of the buttons that take a verdict back."""
    return [str(button.key) for button in app.button if str(button.key).startswith("undo_")]


def take_back(app: AppTest) -> AppTest:
    (key,) = offered(app)
    app.button(key=key).click().run()
    assert not app.exception
    return app


def standing(worklist: Worklist, film: str) -> list[Review]:
    """Return the verdicts on a film that count, newest first."""
    given = worklist.reviews.of_film(film)
    return [each for each in given if each.verdict and not each.is_taken_back]


@pytest.mark.parametrize("said", WAYS, ids=str)
def test_nothing_that_was_said_of_the_film_stands(
    worklist: Worklist, read: Opener, said: list[str | Cause]
) -> None:
    film = scored(worklist, 0.9)
    app = take_back(say(read(film), film, *said))
    assert standing(worklist, film) == []
    assert worklist.entry(film).read_at is None
    assert [entry.id for entry in worklist.page(Query())] == [film]
    assert offered(app) == []
    assert app.button_group(key=f"cause_{film}_Weiss").value is None
    assert "stands" not in "".join(each.value for each in app.caption)


def test_verdicts_before_and_after_another_film_are_taken_back_together(
    worklist: Worklist, read: Opener
) -> None:
    first, second = scored(worklist, 0.9, minutes=20), scored(worklist, 0.8)
    app = say(read(first), first, "pneumonia")
    app.button(key="next").click().run()
    say(app, second, "no_pneumonia")
    app.button(key="previous").click().run()
    take_back(say(app, first, "no_pneumonia"))
    assert standing(worklist, first) == []
    assert worklist.entry(first).read_at is None
    assert len(standing(worklist, second)) == 1


def test_what_is_said_after_that_stands_alone(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.9)
    app = take_back(say(read(film), film, "pneumonia", Cause.BACTERIAL))
    say(app, film, "no_pneumonia")
    assert [(each.pneumonia, each.cause) for each in standing(worklist, film)] == [(False, None)]
    take_back(app)
    assert standing(worklist, film) == []


def test_the_verdict_of_an_earlier_sitting_stands_and_the_page_says_so(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.9)
    earlier = worklist.reviews.add(film, "Weiss", False)
    app = take_back(say(read(film), film, "pneumonia", Cause.BACTERIAL))
    assert [each.number for each in standing(worklist, film)] == [earlier.number]
    assert worklist.entry(film).read_by == "Weiss"
    assert "Your earlier verdict on this film stands: no pneumonia." in captions(app)
    assert app.button(key=f"no_pneumonia_{film}").proto.type == "primary"


def test_the_verdict_of_another_reader_stands_and_the_page_says_so(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.9)
    app = say(read(film), film, "pneumonia")
    worklist.reviews.add(film, "Braun", False)
    take_back(say(app, film, Cause.VIRAL))
    entry = worklist.entry(film)
    assert [each.reader for each in standing(worklist, film)] == ["Braun"]
    assert (entry.read_by, entry.read_at) == ("Braun", standing(worklist, film)[0].reviewed_at)
    assert any(each.startswith("The film stays read") for each in captions(app))


def test_a_second_readers_verdicts_are_taken_back_together(
    worklist: Worklist, read: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_SECOND_READING", "flagged")
    film = scored(worklist, 0.9)
    say(read(film, "Weiss"), film, "pneumonia")
    app = read(film, "Braun")
    app.button(key=f"no_pneumonia_{film}").click().run()
    app.button(key=f"pneumonia_{film}").click().run()
    take_back(app)
    second = worklist.room.second_readings.of_films([film])[film]
    assert (second.state, second.first_reader) == (SecondReadingState.WAITING, "Weiss")
    assert [each.reader for each in standing(worklist, film)] == ["Weiss"]


def test_the_audit_names_the_film_once(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.9)
    take_back(say(read(film), film, "pneumonia", Cause.BACTERIAL))
    resources.audit().flush()
    events = [each.event for each in resources.audit().store.after(0, 1000)]
    assert [each.film for each in events if each.detail.endswith("withdraw")] == [film]


@pytest.mark.parametrize("button", ["pneumonia", "no_pneumonia", "unsure", "unusable"])
def test_the_same_button_twice_makes_one_verdict(
    worklist: Worklist, read: Opener, button: str
) -> None:
    film = scored(worklist, 0.9)
    app = say(read(film), film, button, button)
    assert len(worklist.reviews.of_film(film)) == 1
    take_back(app)
    assert worklist.entry(film).read_at is None


def test_a_verdict_is_given_again_where_it_says_something_new(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.9)
    app = say(read(film), film, "pneumonia")
    app.button(key=f"mark_read_{film}").click().run()
    say(app, film, "pneumonia")  # read once more
    assert worklist.entry(film).read_at is not None
    worklist.reviews.add(film, "Braun", Verdict.UNSURE)
    say(app, film, "pneumonia")  # insists
    readers = [each.reader for each in standing(worklist, film)]
    assert readers == ["Weiss", "Braun", "Weiss", "Weiss"]


def test_two_readers_at_one_window_say_the_same_each(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.9)
    say(read(film, "Weiss"), film, "pneumonia")
    app = say(read(film, "Braun"), film, "pneumonia")
    assert [each.reader for each in standing(worklist, film)] == ["Braun", "Weiss"]
    take_back(app)
    assert [each.reader for each in standing(worklist, film)] == ["Weiss"]


def captions(app: AppTest) -> list[str]:
    return [each.value for each in app.caption]
