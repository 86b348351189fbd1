"""A second reading on the pages: the first verdict is nowhere to be seen before the second one."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.worklist import AnnotationKind, Cause, Measurement, SecondReadingState, Worklist
from tests.app.test_reading import read as read
from tests.app.test_reading import words
from tests.support.worklists import scored

Opener = Callable[..., AppTest]
HINTS = ("pneumonia · viral", "Left base", "Ask the ward", "12.0 mm", "Findings: pneumonia")
"""What Weiss said, in each place where it could be shown."""


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_SECOND_READING", "flagged")


@pytest.fixture
def film(worklist: Worklist, read: Opener) -> str:
    """A flagged film that Weiss has judged, commented, measured and noted upon."""
    entry_id = scored(worklist, 0.9, patient_id="P-1", study_date="20260102")
    app = read(entry_id, "Weiss")
    app.session_state[f"cause_{entry_id}_Weiss"] = Cause.VIRAL
    app.button(key=f"pneumonia_{entry_id}").click().run()
    worklist.reviews.add(entry_id, "Weiss", comment="Left base")
    worklist.room.notes.write(entry_id, "Weiss", "Ask the ward")
    length = Measurement(AnnotationKind.LENGTH, ((0.1, 0.1), (0.2, 0.2)), 12.0, "mm", "detector")
    worklist.room.annotations.add(entry_id, "Weiss", length)
    return entry_id


def everything(app: AppTest) -> str:
    """Everything that the page shows or sends to the browser."""
    elements = (*app.markdown, *app.caption, *app.code, *app.button, *app.get("bidi_component"))
    return words(app) + "".join(str(each.proto) for each in elements)


def test_the_first_verdict_is_shown_nowhere_before_the_second(
    worklist: Worklist, read: Opener, film: str
) -> None:
    assert not [hint for hint in HINTS if hint not in everything(read(film, "Weiss"))]
    app = read(film, "Braun")
    assert "**Second reading** (by the rule of this site)" in everything(app)
    assert not [hint for hint in HINTS if hint in everything(app)]
    assert app.button(key=f"pneumonia_{film}").proto.type == "secondary"
    app.button(key=f"no_pneumonia_{film}").click().run()
    assert not [hint for hint in HINTS[:4] if hint not in everything(app)]
    differ = "**The readers differ**: Weiss: pneumonia (viral), Braun: no pneumonia."
    assert differ in everything(app)
    assert "Findings: readers differ." in app.code[0].value
    assert "Read by" not in app.code[0].value


def test_a_later_film_of_the_patient_does_not_tell_either(
    worklist: Worklist, read: Opener, film: str
) -> None:
    later = scored(worklist, 0.8, minutes=5, patient_id="P-1", study_date="20260301")
    compared = "Comparison: film of 2026-01-02"
    for reader, said in (("Weiss", " (pneumonia)."), ("Braun", ".")):
        app = read(later, reader)
        if reader == "Weiss":  # it stays beside the film
            app.button(key="earlier").click().run()
        assert compared + said in app.code[0].value
    worklist.reviews.add(film, "Quist", False)
    app.run()
    assert compared + " (readers differ)." in app.code[0].value


def test_the_list_shows_what_waits_for_this_reader(
    worklist: Worklist, read: Opener, film: str
) -> None:
    for reader, films in (("Weiss", 0), ("Braun", 1)):
        app = read(film, reader)
        app.switch_page("views/worklist.py")
        app.query_params["state"] = "second_reading"
        app.run()
        table = everything(app)
        assert table.count(film) == films
        assert not [hint for hint in HINTS[1:] if hint in table]
    app.query_params["state"] = "disagreement"
    app.run()
    assert app.success[0].value == "There is no film in which two readers differ."
    worklist.reviews.add(film, "Braun", False)
    app.run()
    assert film in everything(app)


def test_a_reader_asks_for_a_second_reading_and_takes_that_back(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.1)
    app = read(film, "Weiss")
    app.button(key=f"ask_second_reading_{film}").click().run()
    (second,) = worklist.room.second_readings.of_films([film]).values()
    assert (second.state, second.asked_by) == (SecondReadingState.UNREAD, "Weiss")
    assert app.button(key=f"ask_second_reading_{film}").disabled
    app.button(key=f"no_second_reading_{film}").click().run()
    assert worklist.room.second_readings.of_films([film]) == {}


def test_nothing_of_it_is_offered_where_the_site_has_none(
    worklist: Worklist, read: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXR_SECOND_READING")
    film = scored(worklist, 0.9)
    app = read(film)
    assert "Second reading, please" not in {button.label for button in app.button}
    app.button(key=f"pneumonia_{film}").click().run()
    assert worklist.room.second_readings.of_films([film]) == {}
    app.switch_page("views/worklist.py")
    app.run()
    assert not app.exception
    assert "Disagreements" not in str([each.proto for each in app.get("button_group")])
