"""Films of one study: one line in the list by study, and beside each other on the film page."""

import json

from streamlit.testing.v1 import AppTest

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.view_words import LATERAL, REASONS
from cxr_app.worklist import Worklist
from tests.support.worklists import page_text, received, scored, shown


def film(worklist: Worklist, probability: float, view: str = "", name: str = "Weiss^Anna") -> str:
    """Enter a film of the one study."""
    return scored(
        worklist,
        probability,
        study_instance_uid="1.2.3",
        patient_id="P-1",
        patient_name=name,
        view_position=view,
    )


def lateral(worklist: Worklist, view: str = "") -> str:
    """Enter a lateral film of the same study."""
    entry_id = received(worklist, "lateral")
    outcome = Outcome(
        worklist.entry(entry_id).sha256,
        ScoringState.REJECTED,
        Priority.MEDIUM,
        reason=f"This film cannot be judged: {REASONS[LATERAL]}",
        header=Header(
            study_instance_uid="1.2.3",
            patient_id="P-1",
            patient_name="Weiss^Anna",
            view_position=view,
        ),
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
    low = film(worklist, 0.05, "PA")
    lateral(worklist, "LL")
    assert shown(by_study(app)) == [alone, low]
    assert shown(app, "study") == ["", "2: PA, LL"]
    assert "2 studies" in page_text(app)
    high = film(worklist, 0.99, "AP")
    assert shown(app.run()) == [high, alone]
    assert shown(app, "study") == ["3: AP, PA, LL", ""]


def test_another_patients_film_under_the_same_uid_stays_in_the_list(
    app: AppTest, worklist: Worklist
) -> None:
    mine = film(worklist, 0.9)
    theirs = film(worklist, 0.8, name="Okafor^Ben")
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
    frontal = film(worklist, 0.9, "PA")
    side = lateral(worklist)
    app.switch_page("views/film.py")
    app.query_params["film"] = frontal
    app.run()
    (button,) = [each for each in app.button if each.key == f"study_{side}"]
    assert button.label == "lateral · needs no score"
    app.button(key="read_study").click().run()
    assert worklist.entry(side).read_by == "Weiss"
    assert worklist.entry(frontal).read_at is None
    app.button(key=f"study_{side}").click().run()
    assert not app.exception
    (back,) = [each for each in app.button if each.key == f"study_{frontal}"]
    assert back.label == "PA · flagged, 90 %"


def test_a_film_alone_in_its_study_has_no_other_views(app: AppTest, worklist: Worklist) -> None:
    only = film(worklist, 0.9)
    app.switch_page("views/film.py")
    app.query_params["film"] = only
    app.run()
    assert not app.exception
    assert not [each for each in app.button if str(each.key).startswith("study_")]
