"""Films of one study: one line in the list by study, and beside each other on the film page."""

import json

from streamlit.testing.v1 import AppTest

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.view_words import LATERAL, REASONS
from cxr_app.worklist import Worklist
from tests.support.worklists import page_text, received, scored, shown

ONE = {"study_instance_uid": "1.2.3", "patient_id": "P-1", "patient_name": "Weiss^Anna"}


def lateral(worklist: Worklist, **header: str) -> str:
    entry_id = received(worklist, "lateral")
    outcome = Outcome(
        worklist.entry(entry_id).sha256,
        ScoringState.REJECTED,
        Priority.MEDIUM,
        reason=f"This film cannot be judged: {REASONS[LATERAL]}",
        header=Header(**header),
    )
    worklist.record(outcome)
    return entry_id


def by_study(app: AppTest) -> AppTest:
    app.run()
    (switch,) = [each for each in app.toggle if each.label == "By study"]
    switch.set_value(True).run()
    assert not app.exception
    return app


def test_the_list_by_study_has_one_line_with_the_most_urgent_film(
    app: AppTest, worklist: Worklist
) -> None:
    alone = scored(worklist, 0.3)
    low = scored(worklist, 0.05, **ONE, view_position="PA")
    lateral(worklist, **ONE, view_position="LL")
    assert shown(by_study(app)) == [alone, low]
    assert shown(app, "study") == ["", "2 films: PA, LL"]
    assert "2 studies" in page_text(app)
    high = scored(worklist, 0.99, **ONE, view_position="AP")
    assert shown(app.run()) == [high, alone]
    assert shown(app, "study") == ["3 films: AP, PA, LL", ""]


def test_another_patients_film_under_the_same_uid_stays_in_the_list(
    app: AppTest, worklist: Worklist
) -> None:
    mine = scored(worklist, 0.9, **ONE)
    theirs = scored(worklist, 0.8, **{**ONE, "patient_name": "Okafor^Ben"})
    assert set(shown(by_study(app))) == {mine, theirs}


def test_the_browser_is_told_to_remember_the_switch(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.9)

    def remembered() -> str:
        given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
        (word,) = [each["word"] for each in given if each.get("name") == "by_study"]
        return str(word)

    app.run()
    assert remembered() == "off"
    by_study(app)
    assert remembered() == "on"


def test_a_film_page_shows_the_other_views_and_leads_to_them(
    app: AppTest, worklist: Worklist
) -> None:
    frontal = scored(worklist, 0.9, **ONE, view_position="PA")
    side = lateral(worklist, **ONE)
    app.switch_page("views/film.py")
    app.query_params["film"] = frontal
    app.run()
    (button,) = [each for each in app.button if each.key == f"study_{side}"]
    assert button.label == "lateral · needs no score · unread"
    app.button(key="read_study").click().run()
    assert worklist.entry(side).read_by == "Weiss"
    assert worklist.entry(frontal).read_at is None
    app.button(key=f"study_{side}").click().run()
    assert not app.exception
    (back,) = [each for each in app.button if each.key == f"study_{frontal}"]
    assert back.label == "PA · flagged, 90 % · unread"


def test_a_film_alone_in_its_study_has_no_other_views(app: AppTest, worklist: Worklist) -> None:
    film = scored(worklist, 0.9, **ONE)
    app.switch_page("views/film.py")
    app.query_params["film"] = film
    app.run()
    assert not app.exception
    assert not [each for each in app.button if str(each.key).startswith("study_")]
