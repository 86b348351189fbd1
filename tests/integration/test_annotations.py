"""Marks on films are kept, taken back and never changed, on both databases."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxr_app.errors import EntryNotFoundError
from cxr_app.worklist import AnnotationKind, Measurement, Worklist
from tests.support.outcomes import scored, sha256

LINE = ((0.1, 0.2), (0.7, 0.2))
LENGTH = Measurement(AnnotationKind.LENGTH, LINE, 123.4, "mm", "at the detector", "1m")

KEY_IMAGE = Measurement(AnnotationKind.KEY_IMAGE, ((0.0, 0.0), (1.0, 1.0)), 1.0, "")


def enter(worklist: Worklist, film: str) -> str:
    entry_id, _ = worklist.receive(sha256(film), film, Path("/a"))
    worklist.record(scored(film))
    return entry_id


def test_a_mark_is_kept_with_its_film_alone(worklist: Worklist) -> None:
    film, other = enter(worklist, "film"), enter(worklist, "other")
    worklist.room.annotations.add(film, "Ada", LENGTH)
    (kept,) = worklist.room.annotations.of_film(film)
    assert (kept.reader, kept.measurement) == ("Ada", LENGTH)
    assert worklist.room.annotations.of_film(other) == []
    with pytest.raises(EntryNotFoundError):
        worklist.room.annotations.add("0" * 32, "Ada", LENGTH)


def test_a_mark_that_is_taken_back_is_not_shown(worklist: Worklist) -> None:
    film = enter(worklist, "film")
    for _ in range(2):
        worklist.room.annotations.add(film, "Ada", LENGTH)
    first, second = worklist.room.annotations.of_film(film)
    worklist.room.annotations.take_back(first.number, "Bea")
    worklist.room.annotations.take_back(first.number, "Cleo")
    worklist.room.annotations.take_back(10**6, "Cleo")
    assert worklist.room.annotations.of_film(film) == [second]


def test_films_with_a_key_image_are_found_until_it_is_taken_back(worklist: Worklist) -> None:
    marked, measured, bare = (enter(worklist, name) for name in ("marked", "measured", "bare"))
    marks = worklist.room.annotations
    for _ in range(2):
        marks.add(marked, "Ada", KEY_IMAGE)
    marks.add(measured, "Ada", LENGTH)
    assert marks.key_images([marked, measured, bare]) == {marked}
    assert marks.key_images([]) == set()
    for kept in marks.of_film(marked):
        assert marks.key_images([marked]) == {marked}
        marks.take_back(kept.number, "Bea")
    assert marks.key_images([marked]) == set()


def test_the_marks_of_a_moment_are_those_that_were_there(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 5, 9, tzinfo=UTC)]
    opened = Worklist.open(f"sqlite:///{tmp_path / 'worklist.sqlite'}", lambda: now[0])
    film, marks, minute = enter(opened, "film"), opened.room.annotations, timedelta(minutes=1)
    before = now[0] - minute
    marks.add(film, "Ada", LENGTH)
    (kept,) = marks.of_film(film)
    now[0] += minute
    marks.take_back(kept.number, "Ada")
    marks.add(film, "Ada", KEY_IMAGE)
    assert marks.at(film, before) == []
    assert marks.at(film, now[0] - minute / 2) == [kept]
    assert [each.measurement for each in marks.at(film, now[0])] == [KEY_IMAGE]
    opened.close()


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (LENGTH, "123.4 mm (at the detector)"),
        (
            Measurement(AnnotationKind.LENGTH, LINE, 9, "mm", "not stated"),
            "9.0 mm (not stated where)",
        ),
        (Measurement(AnnotationKind.LENGTH, LINE, 512.2, "px"), "512 pixels"),
        (Measurement(AnnotationKind.ANGLE, (*LINE, (1.0, 1.0)), 45, "deg"), "45.0°"),
        (Measurement(AnnotationKind.RATIO, LINE * 2, 0.514, ""), "CTR 0.51"),
        (Measurement(AnnotationKind.KEY_IMAGE, ((0, 0), (1, 1)), 1.0, ""), "whole film"),
        (Measurement(AnnotationKind.KEY_IMAGE, ((0, 0), (1, 0.5)), 0.5, ""), "part of the film"),
    ],
)
def test_what_was_measured_is_said_in_words(measurement: Measurement, words: str) -> None:
    assert measurement.words == words


@pytest.mark.parametrize(
    ("points", "value"),
    [(LINE[:1], 1.0), (LINE, math.nan), (LINE, -1.0), (((0.1, 0.2), (1.5, 0.2)), 1.0)],
)
def test_what_no_mark_can_be_is_refused(
    points: tuple[tuple[float, float], ...], value: float
) -> None:
    with pytest.raises(ValueError, match=r"points|value"):
        Measurement(AnnotationKind.LENGTH, points, value, "mm")
