"""The file for research has what was found, and nobody's name."""

import json
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cxr_app.radiograph import Header
from cxr_app.reports.research_export import AT_ONCE, research_lines
from cxr_app.worklist import AnnotationKind, Cause, Measurement, Verdict, Worklist
from tests.support.worklists import scored

FACTS = {"patient_sex": "F", "patient_age": "061Y", "modality": "DX"}
PLANTED = {
    each.name: f"QX{number}QX"
    for number, each in enumerate(fields(Header))
    if each.name not in FACTS
}


def lines(worklist: Worklist, limit: int = 1000) -> list[dict[str, object]]:
    return [json.loads(line) for line in research_lines(worklist, limit)]


def test_nothing_that_names_anybody_leaves(worklist: Worklist) -> None:
    header: dict[str, Any] = PLANTED | FACTS
    film = scored(worklist, 0.9, **header)
    worklist.room.urgency.mark(film, "QXreader", "QXwhy")
    worklist.reviews.add(film, "QXreader", True, cause=Cause.VIRAL, comment="QXcomment")
    worklist.room.notes.write(film, "QXreader", "QXnote")
    (line,) = lines(worklist)
    text = json.dumps(line)
    assert "QX" not in text
    entry = worklist.entry(film)
    for told in (film, entry.sha256, entry.source, str(entry.received_at.date())):
        assert told not in text
    assert (line["sex"], line["age"], line["modality"]) == ("F", 61, "DX")
    assert (line["pneumonia_probability"], line["flagged"]) == (0.9, True)
    reviews = line["reviews"]
    assert isinstance(reviews, list)
    assert reviews[0]["verdict"] == Verdict.AGREE.value
    assert (reviews[0]["pneumonia"], reviews[0]["cause"]) == (True, "VIRAL")


def test_marks_go_along_as_they_lie_on_the_film_of_the_file(worklist: Worklist) -> None:
    film = scored(worklist, 0.9)
    line = ((0.1, 0.2), (0.7, 0.2))
    for mark in (
        Measurement(AnnotationKind.LENGTH, line, 12.5, "mm", "calibrated", "1m"),
        Measurement(AnnotationKind.KEY_IMAGE, ((0.0, 0.0), (1.0, 0.5)), 0.5, ""),
    ):
        worklist.room.annotations.add(film, "QXreader", mark)
    (told,) = lines(worklist)
    assert "QXreader" not in json.dumps(told)
    marks: Any = told["marks"]
    assert [each["kind"] for each in marks] == ["length", "key_image"]
    assert marks[0]["points"] == [[0.2, 0.1], [0.2, 0.7]]
    assert (marks[0]["value"], marks[0]["unit"], marks[0]["basis"]) == (12.5, "mm", "calibrated")


def test_films_of_a_patient_belong_together_and_to_nobody_elses(worklist: Worklist) -> None:
    for number, patient in enumerate(("A", "B", "A", "")):
        scored(worklist, 0.5, minutes=90 - number, patient_id=patient)
    scored(worklist, 0.5, patient_id="A", issuer_of_patient_id="other hospital")
    first = [line["patient"] for line in lines(worklist)]
    assert first[0] == first[2]
    assert len(set(first)) == 4
    assert first[3] == ""
    assert first == [line["patient"] for line in lines(worklist)], "the same in every export"


def test_two_sites_have_different_hashes(worklist: Worklist, tmp_path: Path) -> None:
    other = Worklist.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    for each in (worklist, other):
        scored(each, 0.5, patient_id="A")
    assert lines(worklist)[0]["patient"] != lines(other)[0]["patient"]
    other.close()


def test_times_are_spans(worklist: Worklist) -> None:
    film = scored(worklist, 0.5)
    worklist.reviews.add(film, "Weiss", False)
    (line,) = lines(worklist)
    entry = worklist.entry(film)
    assert entry.read_at is not None
    waited = (entry.read_at - entry.waits_since) / timedelta(minutes=1)
    assert line["minutes_to_read"] == round(waited, 1)
    assert line["year"] == entry.waits_since.year


def test_more_films_than_one_page_and_no_more_than_wanted(worklist: Worklist) -> None:
    for number in range(AT_ONCE + 3):
        scored(worklist, 0.5, patient_id=str(number))
    assert len({line["film"] for line in lines(worklist)}) == AT_ONCE + 3
    assert len(lines(worklist, 7)) == 7
    assert len(lines(worklist, AT_ONCE + 1)) == AT_ONCE + 1


@pytest.mark.parametrize(
    ("stated", "told"),
    [("011M", 0), ("061Y", 61), ("090Y", 90), ("104Y", 90), ("999W", 19), ("", None)],
)
def test_no_age_above_the_oldest_is_told(worklist: Worklist, stated: str, told: int | None) -> None:
    scored(worklist, 0.5, patient_age=stated)
    assert lines(worklist)[0]["age"] == told
