"""A reader says on the film page that a refused picture is a frontal chest film."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.pose import AS_IT_LIES, Pose
from cxr_app.prediction import Prediction
from cxr_app.worklist import Worklist
from tests.app.test_reading import read as read
from tests.support.outcomes import HEAT_SCALE, OPERATING_POINTS, prediction
from tests.support.worklists import page_text, received, scored, shown, viewer

Opener = Callable[..., AppTest]
REASON = "The film was not scored: it seems to lie on its side. Turn it upright and send it again."


def rejected(worklist: Worklist, rows: int = 500) -> str:
    entry_id = received(worklist, "turned film")
    digest = sha256(b"turned film").hexdigest()
    worklist.record(
        Outcome(
            digest, ScoringState.REJECTED, Priority.MEDIUM, reason=REASON, rows=rows, columns=400
        )
    )
    return entry_id


def score_on_the_word(worklist: Worklist, entry_id: str) -> None:
    """Score the film as the engine does."""
    entry = worklist.entry(entry_id)
    predicted: Prediction = replace(prediction(0.9), heat_scale=HEAT_SCALE)
    worklist.record(
        Outcome(
            entry.sha256,
            ScoringState.SCORED,
            Priority.HIGH,
            prediction=predicted,
            operating_point=OPERATING_POINTS["balanced"],
            rows=400,
            columns=500,
            pose=entry.attestation.pose if entry.attestation else None,
        )
    )


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def test_a_refused_film_is_turned_on_the_screen_and_scored_on_the_readers_word(
    worklist: Worklist, read: Opener
) -> None:
    film = rejected(worklist)
    app = read(film)
    assert "pose" not in viewer(app)["film"]
    app.button(key=f"right_{film}").click().run()
    assert viewer(app)["film"].endswith("?pose=1")
    assert worklist.entry(film).attestation is None, "trying out says nothing"
    app.button(key=f"attest_{film}").click().run()
    given = worklist.entry(film).attestation
    assert given is not None
    assert (given.reader, given.pose) == ("Weiss", Pose(1))

    score_on_the_word(worklist, film)
    app.run()
    assert "Weiss said on" in page_text(app)
    assert "turned right" in page_text(app)
    assert viewer(app)["film"].endswith("?pose=1")
    assert viewer(app)["heat"].endswith("&pose=1")
    app.switch_page("views/worklist.py")
    app.run()
    assert shown(app, "remark")[0].startswith("Scored on the word of Weiss (turned right).")


def test_left_and_right_turn_what_is_on_the_screen_mirrored_or_not(
    worklist: Worklist, read: Opener
) -> None:
    film = rejected(worklist)
    app = read(film)
    app.button(key=f"mirror_{film}").click().run()
    app.button(key=f"right_{film}").click().run()
    assert viewer(app)["film"].endswith("?pose=3m")
    app.button(key=f"left_{film}").click().run()
    app.button(key=f"mirror_{film}").click().run()
    assert "pose" not in viewer(app)["film"]


def test_the_word_is_taken_back(worklist: Worklist, read: Opener) -> None:
    film = rejected(worklist)
    worklist.attestations.give(film, "Bea", AS_IT_LIES)
    score_on_the_word(worklist, film)
    app = read(film)
    app.button(key=f"unattest_{film}").click().run()
    entry = worklist.entry(film)
    assert (entry.attestation, entry.state) == (None, None)


def test_a_scored_film_that_is_turned_shows_no_heat_until_it_is_scored_so(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.9)
    app = read(film)
    assert viewer(app)["heat"]
    assert app.button(key=f"attest_{film}").disabled
    app.button(key=f"mirror_{film}").click().run()
    assert viewer(app)["heat"] is None
    assert viewer(app)["note"] == "Not scored as it lies now"
    assert not app.button(key=f"attest_{film}").disabled


@pytest.mark.parametrize("rows", [0])
def test_nothing_is_offered_where_there_is_nothing_to_see(
    worklist: Worklist, read: Opener, rows: int
) -> None:
    film = rejected(worklist, rows)
    assert f"attest_{film}" not in keys(read(film))


def test_a_film_that_another_reader_has_open_is_theirs_to_speak_on(
    worklist: Worklist, read: Opener
) -> None:
    film = rejected(worklist)
    worklist.claims.claim(film, "Bea")
    assert f"attest_{film}" not in keys(read(film))
