"""Figures of a site's films: counted by hand, week by week and sender by sender."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.drift_alarms import DriftFigure
from cxr_app.evaluation import drift_changes
from cxr_app.evaluation.drift_changes import Reference, by_sender, by_week
from cxr_app.evaluation.drift_figures import FEWEST, measure
from cxr_app.evaluation.drift_films import (
    NO_VERDICT,
    Coded,
    DriftFilms,
    SenderFact,
    monday,
    week_of,
)
from cxr_app.evaluation.metrics import wilson_interval
from tests.support.drift import Film, columns

FILMS = st.lists(
    st.builds(
        Film,
        week=st.integers(3000, 3004),
        refused=st.booleans(),
        probability=st.floats(0, 1),
        flagged=st.booleans(),
        model=st.sampled_from(["m-1", "m-2"]),
        pneumonia=st.sampled_from([NO_VERDICT, 0, 1]),
        flagged_then=st.booleans(),
        station=st.sampled_from(["", "CR-1", "DX-2"]),
    ),
    max_size=150,
)


def share(figures: object, figure: DriftFigure) -> tuple[int, float | None]:
    found = figures[figure]  # type: ignore[index]
    return found.films, None if found.estimate is None else found.estimate.value


@given(films=FILMS, model=st.sampled_from(["", "m-1", "unknown"]))
def test_shares_are_counted(films: list[Film], model: str) -> None:
    every = np.ones(len(films), np.bool_)
    figures = measure(columns(films), every, model, None)
    scored = [each for each in films if not each.refused and model in ("", each.model)]
    refused = [each for each in films if each.refused]
    seen = [each for each in films if each.pneumonia != NO_VERDICT and model in ("", each.model)]
    sick, well = (
        [each for each in seen if each.pneumonia == 1],
        [each for each in seen if each.pneumonia == 0],
    )
    for figure, part, whole in (
        (DriftFigure.FLAGGED, [each for each in scored if each.flagged], scored),
        (DriftFigure.REFUSED, refused, scored + refused),
        (DriftFigure.SENSITIVITY, [each for each in sick if each.flagged_then], sick),
        (DriftFigure.SPECIFICITY, [each for each in well if not each.flagged_then], well),
    ):
        enough = len(whole) >= FEWEST
        value = pytest.approx(len(part) / len(whole)) if enough else None
        assert share(figures, figure) == (len(whole), value)
        if enough:
            estimate = figures[figure].estimate
            assert estimate is not None
            assert (estimate.low, estimate.high) == wilson_interval(len(part), len(whole))
    assert figures[DriftFigure.AGREEMENT].films == len(seen)
    assert figures[DriftFigure.PSI].estimate is None  # nothing to compare with


@given(films=FILMS)
def test_every_film_is_in_one_week_and_of_one_sender(films: list[Film]) -> None:
    found = columns(films)
    weeks = by_week(
        found, np.ones(len(films), np.bool_), "", Reference(), range(3000, 3005)
    ).values()
    senders = by_sender(found, SenderFact.STATION, "", Reference(), range(3000, 3005)).values()
    for groups in (weeks, senders):
        assert sum(each.films for each in groups) == len(films)
        assert sum(each.refused for each in groups) == sum(each.refused for each in films)
        assert sum(each.scored for each in groups) == sum(not each.refused for each in films)
    assert [each.films for each in senders] == sorted(
        (each.films for each in senders), reverse=True
    )


def moved_sender() -> DriftFilms:
    """Two senders with the same films in week 3000; in 3001 those of one have moved."""
    before = [Film(3000, probability=p / 100, station=name) for name in "AB" for p in range(100)]
    after = [Film(3001, probability=p / 100, station="A") for p in range(100)]
    after += [Film(3001, probability=0.5 + p / 200, station="B") for p in range(100)]
    return columns(before + after)


def test_a_sender_is_compared_with_its_own_films() -> None:
    films, reference = moved_sender(), Reference(range(3000, 3001))
    found = by_sender(films, SenderFact.STATION, "", reference, range(3000, 3002))
    moved = {name: each.figures[DriftFigure.PSI].estimate for name, each in found.items()}
    assert moved["A"] is not None
    assert moved["B"] is not None
    assert moved["A"].value == 0
    assert moved["B"].low > 0.25
    lines = {DriftFigure.PSI: 0.25, DriftFigure.FLAGGED: 0.5}
    assert drift_changes.beyond(found["B"].figures, lines) == [DriftFigure.PSI]
    assert drift_changes.beyond(found["A"].figures, lines) == []
    assert found["A"].films == 200
    assert found["A"].figures[DriftFigure.PSI].films == 100  # without the reference


def test_an_alarm_needs_the_whole_interval_beyond_the_line() -> None:
    films = [Film(3000, flagged=place < 60) for place in range(100)]
    figures = measure(columns(films), np.ones(100, np.bool_), "", None)
    assert drift_changes.beyond(figures, {DriftFigure.FLAGGED: 0.49}) == [DriftFigure.FLAGGED]
    assert drift_changes.beyond(figures, {DriftFigure.FLAGGED: 0.55}) == []
    assert drift_changes.beyond(figures, {DriftFigure.SENSITIVITY: 0.9}) == []  # no verdicts


def test_the_first_weeks_of_a_model_are_its_reference() -> None:
    films = [Film(3000, model="m-1")] * 40 + [Film(3010, model="m-2")] * 40
    assert drift_changes.first_weeks(columns(films), "m-2") == range(3010, 3018)
    assert drift_changes.first_weeks(columns(films), "") == range(3000, 3008)
    assert drift_changes.first_weeks(columns(films[:20]), "m-1") is None
    assert drift_changes.first_weeks(columns([]), "") is None


def test_a_new_sender_is_one_that_came_after_others() -> None:
    films = [Film(3000, station="A"), Film(3001, station="B"), Film(3002, station="A")]
    films += [Film(3002, station="")]
    found = columns(films)
    coded = found.senders[SenderFact.STATION]
    assert drift_changes.new_senders(found, coded) == {"B": monday(3001)}
    empty = columns([])
    assert drift_changes.new_senders(empty, empty.senders[SenderFact.STATION]) == {}


@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_a_week_begins_on_monday(day: date) -> None:
    first = monday(week_of(day))
    assert first.weekday() == 0
    assert 0 <= (day - first).days < 7


def test_an_unknown_name_is_of_no_film() -> None:
    assert not Coded(("A",), np.zeros(3, np.int_)).is_name("B").any()
