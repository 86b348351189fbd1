"""Numbers and times are short, and never more precise than they are."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.outcome import Priority, ScoringState
from cxr_app.ui.text import formatting


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (-5, "< 1 min"),
        (59, "< 1 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (10_620, "2 h 57 min"),
        (86_400, "1 d 0 h"),
        (99 * 3600, "4 d 3 h"),
    ],
)
def test_a_wait_is_shown_in_two_units(seconds: int, answer: str) -> None:
    assert formatting.duration(timedelta(seconds=seconds)) == answer


@pytest.mark.parametrize(
    ("patient_age", "answer"),
    [("004Y", "4 y"), ("011M", "11 mo"), ("003W", "3 wk"), ("020D", "20 d"), ("", ""), ("4Q", "")],
)
def test_an_age_is_worded_as_usual(patient_age: str, answer: str) -> None:
    assert formatting.age(patient_age) == answer


@given(st.text(max_size=12))
def test_an_invalid_age_or_date_is_left_out(text: str) -> None:
    assert formatting.age(text) == "" or text[:-1].isdecimal()
    assert formatting.date(text) == "" or text.isdecimal()


def test_date_and_name_are_worded_as_usual() -> None:
    assert formatting.date("20260102") == "2026-01-02"
    assert formatting.person_name("Weiss^Anna^^Dr") == "Weiss, Anna"
    assert formatting.person_name("Nakamura^Yui=中村^結衣") == "Nakamura, Yui"
    assert formatting.person_name("=中村^結衣") == "中村, 結衣"
    assert formatting.person_name("==なかむら^ゆい") == "なかむら, ゆい"
    assert formatting.person_name("") == ""


def test_every_tier_has_a_mark_of_its_own() -> None:
    scored = [formatting.tier(ScoringState.SCORED, priority) for priority in Priority]
    others = [formatting.tier(None, None), formatting.tier(ScoringState.FAILED, Priority.MEDIUM)]
    marks = [answer[0] for answer in scored + others]
    assert len(set(marks)) == len(marks)
    assert formatting.tier(ScoringState.REJECTED, Priority.MEDIUM) == others[1]


@given(st.text(max_size=60))
def test_plain_text_keeps_every_letter_and_no_markup(text: str) -> None:
    answer = formatting.escape_markdown(text)
    assert len(answer) == len(text) + sum(letter in formatting.MARKUP for letter in text)
    for markup in ("**", "](", "<b", "$$", ":red["):
        assert markup not in answer


def test_films_are_counted() -> None:
    assert (formatting.films(1), formatting.films(0), formatting.files(1284)) == (
        "1 film",
        "0 films",
        "1,284 files",
    )
