"""Reading a film on its page: claims, verdicts, comments, masking, and when the heat is shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import create_engine, text
from streamlit.testing.v1 import AppTest

from cxr_app.settings import Settings
from cxr_app.ui.components import comment_box
from cxr_app.ui.text import film_html
from cxr_app.worklist import Cause, Verdict, Worklist
from tests.support.worklists import failed, scored, shown, viewer

Opener = Callable[..., AppTest]
Comments = Callable[[str, str], None]


@pytest.fixture
def read(app: AppTest) -> Opener:
    """Open a film as a reader whose name the browser keeps."""

    def open_film(entry_id: str, reader: str = "Weiss") -> AppTest:
        app.session_state["reader_asked"] = True
        app.session_state["reader_name"] = reader
        app.run()
        app.switch_page("views/film.py")
        app.query_params["film"] = entry_id
        app.run()
        assert not app.exception
        return app

    return open_film


@pytest.fixture
def comments(monkeypatch: pytest.MonkeyPatch) -> Comments:
    """Have the browser report a comment on a film, again at every run of the page."""

    def report(entry_id: str, text: str) -> None:
        comment = {"number": 1, "entry": entry_id, "text": text}

        def mount(**options: Any) -> None:
            st.session_state["comment_box"] = {"comments": {"list": [comment]}}
            options["on_comments_change"]()

        monkeypatch.setattr(comment_box, "_mount", mount)

    return report


def words(app: AppTest) -> str:
    """Everything that the page shows as HTML."""
    return "\n".join(element.proto.body for element in app.get("html"))


def labels(app: AppTest) -> set[str]:
    """Every button of the page."""
    return {button.label for button in app.button}


def test_opening_a_film_claims_it_and_leaving_lets_it_go(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.8)
    app = read(film)
    claim = worklist.entry(film).claim
    assert claim is not None
    assert claim.reader == "Weiss"
    app.switch_page("views/worklist.py")
    app.run()
    assert worklist.entry(film).claim is None


def test_going_to_the_next_film_takes_the_claim_along(worklist: Worklist, read: Opener) -> None:
    first, second = scored(worklist, 0.9, minutes=20), scored(worklist, 0.8, minutes=10)
    app = read(first)
    app.button(key="next").click().run()
    assert worklist.entry(first).claim is None
    assert worklist.entry(second).claim is not None


def test_a_film_that_another_reads_says_so_and_is_taken_over_knowingly(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.8)
    worklist.claims.claim(film, "<b>Braun</b>")
    app = read(film)
    assert "Open with &lt;b&gt;Braun&lt;/b&gt;" in words(app)
    assert not labels(app) & {"Pneumonia", "No pneumonia", "Not usable"}
    app.button(key="take_over").click().run()
    claim = worklist.entry(film).claim
    assert claim is not None
    assert claim.reader == "Weiss"
    assert "Pneumonia" in labels(app)


def test_films_that_others_have_open_are_passed_over(worklist: Worklist, read: Opener) -> None:
    films = [scored(worklist, 0.9, minutes=40 - number) for number in range(4)]
    for busy in films[1:3]:
        worklist.claims.claim(busy, "Braun")
    app = read(films[0])
    app.button(key="next").click().run()
    assert app.query_params["film"] in (films[3], [films[3]])


@pytest.mark.parametrize(
    ("button", "verdict"), [("pneumonia", Verdict.AGREE), ("no_pneumonia", Verdict.DISAGREE)]
)
def test_a_verdict_is_kept_with_cause_and_reader_and_the_film_counts_as_read(
    worklist: Worklist, read: Opener, button: str, verdict: Verdict
) -> None:
    film = scored(worklist, 0.8)
    app = read(film)
    app.button_group(key=f"cause_{film}_Weiss").select(Cause.VIRAL).run()
    app.button(key=f"{button}_{film}").click().run()
    (review,) = worklist.reviews.of_film(film)
    assert (review.reader, review.verdict, review.cause) == ("Weiss", verdict, Cause.VIRAL)
    assert review.heat_seen  # it lies on the film until the reader's browser says otherwise
    assert worklist.entry(film).read_by == "Weiss"
    assert "viral" in words(app)
    assert app.button(key=f"mark_read_{film}").label == "Mark as unread"


def test_a_cause_chosen_after_the_verdict_repeats_the_verdict(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.8)
    app = read(film)
    app.button(key=f"pneumonia_{film}").click().run()
    app.button_group(key=f"cause_{film}_Weiss").select(Cause.BACTERIAL).run()
    answer = [(review.verdict, review.cause) for review in worklist.reviews.of_film(film)]
    assert answer == [(Verdict.AGREE, Cause.BACTERIAL), (Verdict.AGREE, None)]


def test_a_comment_is_kept_as_text_and_is_no_verdict(
    worklist: Worklist, read: Opener, comments: Comments
) -> None:
    film = scored(worklist, 0.8)
    app = read(film)
    comments(film, "  <i>left base</i> ")
    app.run()
    app.run()
    (review,) = worklist.reviews.of_film(film)
    assert (review.comment, review.verdict) == ("<i>left base</i>", None)
    assert worklist.entry(film).read_at is None
    assert "&lt;i&gt;left base&lt;/i&gt;" in words(app)


def test_a_comment_goes_to_the_film_it_was_typed_at_and_goes_there_once(
    worklist: Worklist, read: Opener, comments: Comments
) -> None:
    typed_at, in_view = scored(worklist, 0.9), scored(worklist, 0.8)
    app = read(in_view)
    comments(typed_at, "left base")
    app.run()
    app.run()
    assert [each.comment for each in worklist.reviews.of_film(typed_at)] == ["left base"]
    assert worklist.reviews.of_film(in_view) == []


def test_an_unscored_film_has_no_flag_to_agree_with(worklist: Worklist, read: Opener) -> None:
    film = failed(worklist, "The file is cut short.")
    app = read(film)
    assert not labels(app) & {"Pneumonia", "No pneumonia"}
    app.button(key=f"unusable_{film}").click().run()
    assert worklist.reviews.of_film(film)[0].verdict is Verdict.UNUSABLE


def test_the_heat_comes_after_the_readers_own_verdict_where_the_site_wants_that(
    worklist: Worklist, read: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_HEAT", "after_verdict")
    film = scored(worklist, 0.8)
    scored(worklist, 0.7)
    worklist.reviews.add(film, "Braun", Verdict.AGREE)
    app = read(film)
    assert (viewer(app)["heat"], viewer(app)["note"]) == (None, "After your verdict")
    assert not [address for address in viewer(app)["next"] if "heat" in address]
    assert "heat" not in words(app)
    app.button(key=f"pneumonia_{film}").click().run()
    assert not worklist.reviews.of_film(film)[0].heat_seen
    assert viewer(app)["heat"] is not None
    assert "heat" in words(app)


def test_masked_identities_are_in_no_word_of_any_page(
    worklist: Worklist, read: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_MASK_IDENTITIES", "true")
    film = scored(
        worklist,
        0.8,
        source="/import/Weissenberg Anna/film.dcm",
        patient_id="P-4471",
        patient_name="Weissenberg^Anna",
        patient_birth_date="20230405",
        accession_number="A-90210",
    )
    other = scored(worklist, 0.7, source="other.dcm", patient_id="P-4471")
    app = read(film)
    secrets = ("4471", "eissenberg", "Anna", "2023-04-05", "90210", "/import")
    assert not [secret for secret in secrets if secret in words(app)]
    app.switch_page("views/worklist.py")
    app.run()
    patients = dict(zip(shown(app), shown(app, "patient_id"), strict=True))
    assert patients[film] == patients[other] != ""
    table = json.dumps([shown(app, name) for name in ("patient_id", "patient_name", "source")])
    assert not [secret for secret in secrets if secret in table]


def test_unmasking_shows_who_it_is_and_is_recorded(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.8, patient_id="P-4471")
    app = read(film)
    app.toggle(key="mask_identities").set_value(True).run()
    assert "P-4471" not in words(app)
    app.toggle(key="mask_identities").set_value(False).run()
    assert "P-4471" in words(app)
    engine = create_engine(Settings.read().worklist_url)
    with engine.connect() as connection:
        events = connection.execute(text("SELECT kind, reader FROM worklist_event")).all()
    engine.dispose()
    assert [tuple(event) for event in events] == [("UNMASKED", "Weiss")]


@pytest.mark.parametrize(
    ("date", "time", "said"),
    [
        ("20261121", "083000", "study 2026-11-21 08:30"),
        ("20261121", "", "study 2026-11-21"),
        ("", "", ""),
    ],
)
def test_the_date_at_the_head_of_a_film_says_what_it_is(
    worklist: Worklist, date: str, time: str, said: str
) -> None:
    film = scored(worklist, 0.8, patient_id="P-1", study_date=date, study_time=time)
    entry = worklist.entry(film)
    heading = film_html.heading(entry)
    assert said in heading
    assert ("study" in heading) == bool(said)
    assert f" · {'study' if date else 'arrived'} 20" in film_html.caption(entry)


def test_an_earlier_film_of_the_patient_is_listed(worklist: Worklist, read: Opener) -> None:
    now = scored(worklist, 0.8, patient_id="P-1", study_date="20261107")
    scored(worklist, 0.2, patient_id="P-1", study_date="20250302", source="old.dcm")
    app = read(now)
    app.button(key="earlier").click().run()
    assert "2025-03-02 · 20 %, not flagged" in words(app)
    films = [json.loads(each.proto.json).get("film") for each in app.get("bidi_component")]
    assert len(set(filter(None, films))) == 2
    app.button(key="earlier").click().run()
    assert "2025-03-02 · 20 %" not in words(app)


def test_a_newer_film_of_the_patient_is_announced_and_one_click_away(
    worklist: Worklist, read: Opener
) -> None:
    old = scored(worklist, 0.8, patient_id="P-4471", study_date="20261011", source="old.dcm")
    scored(worklist, 0.7, patient_id="P-4472", study_date="20261108", source="other.dcm")
    new = scored(worklist, 0.2, patient_id="P-4471", study_date="20261107", source="new.dcm")
    app = read(old)
    assert any("a newer film, of 2026" in element.value for element in app.markdown)
    app.button(key=f"newer_{new}").click().run()
    assert app.query_params["film"] in (new, [new])
    assert not any("a newer film" in element.value for element in app.markdown)
    app.switch_page("views/worklist.py")
    app.run()
    remarks = dict(zip(shown(app), shown(app, "remark"), strict=True))
    assert "newer film of 2026-11-07" in remarks[old]
    assert "newer film" not in remarks[new]


def test_a_reader_without_a_name_gets_one(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.8)
    read(film, reader=" ").button(key=f"pneumonia_{film}").click().run()
    (review,) = worklist.reviews.of_film(film)
    assert review.reader.startswith("Reader ")
    assert review.reviewed_at <= datetime.now(UTC)


@pytest.mark.parametrize("button", ["pneumonia", "unusable", "mark_read"])
def test_nothing_is_recorded_before_the_reader_is_known(
    worklist: Worklist, app: AppTest, button: str
) -> None:
    film = scored(worklist, 0.8)
    app.session_state["reader_asked"] = False
    app.run()
    app.switch_page("views/film.py")
    app.query_params["film"] = film
    app.run()
    app.button(key=f"{button}_{film}").click().run()
    assert worklist.reviews.of_film(film) == []
    entry = worklist.entry(film)
    assert (entry.read_at, entry.claim) == (None, None)
    assert "has not sent your name yet" in app.toast[0].value


def test_identities_stay_masked_until_the_reader_is_known(
    worklist: Worklist, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_MASK_IDENTITIES", "true")
    app.session_state["reader_asked"] = False
    app.run()
    app.toggle(key="mask_identities").set_value(False).run()
    assert app.toggle(key="mask_identities").value is True


@pytest.mark.parametrize("saw", [True, False])
@pytest.mark.parametrize("probability", [0.8, 0.01])
def test_the_question_is_about_the_film_and_the_flag_stands_beside_it(
    worklist: Worklist, read: Opener, probability: float, saw: bool
) -> None:
    film = scored(worklist, probability)
    app = read(film)
    flagged = worklist.entry(film).flagged
    assert any(
        caption.value == ("Flagged by the model" if flagged else "Not flagged by the model")
        for caption in app.caption
    )
    app.button(key=f"{'pneumonia' if saw else 'no_pneumonia'}_{film}").click().run()
    (review,) = worklist.reviews.of_film(film)
    assert (review.pneumonia, review.verdict is Verdict.AGREE) == (saw, saw is flagged)
    assert ("against the flag" in words(app)) is (saw is not flagged)


def test_who_is_unsure_says_so_and_the_film_counts_as_read(
    worklist: Worklist, read: Opener
) -> None:
    film = scored(worklist, 0.8)
    app = read(film)
    app.button(key=f"unsure_{film}").click().run()
    (review,) = worklist.reviews.of_film(film)
    assert (review.verdict, review.pneumonia) == (Verdict.UNSURE, None)
    assert worklist.entry(film).read_at is not None
    assert list(worklist.reviews.reviewed_films()) == []


def test_the_last_verdict_is_taken_back_from_another_film(worklist: Worklist, read: Opener) -> None:
    first, second = scored(worklist, 0.9, minutes=20), scored(worklist, 0.8)
    app = read(first)
    app.button(key=f"pneumonia_{first}").click().run()
    app.button(key="next").click().run()
    assert app.query_params["film"] in (second, [second])
    (undo,) = [button for button in app.button if button.key and button.key.startswith("undo_")]
    undo.click().run()
    assert app.query_params["film"] in (first, [first])
    assert worklist.entry(first).read_at is None
    assert "taken back" in words(app)
    assert not [button for button in app.button if str(button.key).startswith("undo_")]


def test_previous_leads_to_the_film_looked_at_before_although_it_is_read(
    worklist: Worklist, read: Opener
) -> None:
    first, second = scored(worklist, 0.9, minutes=20), scored(worklist, 0.8)
    app = read(first)
    assert app.button(key="previous").disabled
    app.button(key=f"pneumonia_{first}").click().run()
    app.button(key="next").click().run()
    app.button(key="previous").click().run()
    assert app.query_params["film"] in (first, [first])
    app.button(key="next").click().run()
    assert app.query_params["film"] in (second, [second])
