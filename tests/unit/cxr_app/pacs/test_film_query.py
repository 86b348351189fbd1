"""What may be asked of an archive, and which of its answers are what was asked for."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import SettingsError
from cxr_app.pacs.film_query import FilmQuery

TODAY = date(2026, 11, 28)
DAYS = st.dates(date(2020, 1, 1), date(2026, 12, 31))


def written(day: date) -> str:
    return day.strftime("%Y%m%d")


@given(DAYS, st.integers(0, 60))
def test_each_day_of_a_range_is_asked_for_once(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    query = FilmQuery.parse(f"StudyDate={written(first)}-{written(last)} Modality=DX")
    asked = [keys["StudyDate"] for keys in query.study_keys(TODAY)]
    assert asked == [written(first + timedelta(days=number)) for number in range(length + 1)]
    assert {keys["ModalitiesInStudy"] for keys in query.study_keys(TODAY)} == {"DX"}


@given(DAYS, DAYS, DAYS)
def test_an_answer_of_another_day_is_left_out(first: date, last: date, day: date) -> None:
    first, last = sorted((first, last))
    query = FilmQuery.parse(f"StudyDate={written(first)}-{written(last)}")
    assert query.accepts_study({"StudyDate": written(day)}) == (first <= day <= last)


def test_a_range_without_an_end_ends_tomorrow() -> None:
    asked = [keys["StudyDate"] for keys in FilmQuery.parse("StudyDate=20261126-").study_keys(TODAY)]
    assert asked == ["20261126", "20261127", "20261128", "20261129"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("StudyDate=-20261126", {"StudyDate": "-20261126"}),
        ("StudyInstanceUID=1.2.3", {"StudyDate": "", "StudyInstanceUID": "1.2.3"}),
        ("AccessionNumber='A 1'", {"StudyDate": "", "AccessionNumber": "A 1"}),
    ],
)
def test_what_is_one_search(query: str, keys: dict[str, str]) -> None:
    assert list(FilmQuery.parse(query).study_keys(TODAY)) == [keys]


def test_without_a_modality_radiographs_are_wanted() -> None:
    query = FilmQuery.parse("StudyDate=20261126")
    assert [
        each
        for each in ("CR", "DX", "CT", "SR", "")
        if query.accepts_series({"Modality": each} if each else {})
    ] == ["CR", "DX"]


@pytest.mark.parametrize(
    ("value", "is_wanted"), [("CHEST", True), ("Chest PA", True), ("HAND", False), ("", False)]
)
def test_words_are_compared_here_too(value: str, is_wanted: bool) -> None:
    query = FilmQuery.parse("Modality=DX BodyPartExamined=chest*")
    assert query.accepts_series({"Modality": "DX", "BodyPartExamined": value}) == is_wanted


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "empty"),
        ("20261101", "'20261101'"),
        ("Date=20261101", "'Date'"),
        ("Modality='DX", "quotation"),
        ("Modality=dx", "Modality=dx"),
        ("Modality=DX Modality=CR", "twice"),
        ("StudyDate=2026-11-01", "StudyDate=2026-11-01"),
        ("StudyDate=-", "StudyDate=-"),
        ("StudyDate=", "StudyDate="),
        ("StudyDate=20260231", "20260231 is no day"),
        ("StudyDate=20261126-20261101", "ends before it begins"),
        ("StudyInstanceUID=*", "StudyInstanceUID=*"),
        ("PatientID=", "PatientID="),
        ("StudyDescription=a\\\\b", "StudyDescription="),
    ],
)
def test_what_no_archive_understands_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(SettingsError, match=r"^") as caught:
        FilmQuery.parse(query)
    assert named in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_fails_otherwise(query: str) -> None:
    with suppress(SettingsError):
        FilmQuery.parse(query)
