"""The films of the last weeks, from both databases, as the Drift page counts them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cxr_app.evaluation.drift_films import NO_VERDICT, SenderFact, monday
from cxr_app.outcome import ScoringState
from cxr_app.radiograph import Header
from cxr_app.worklist import Verdict, Worklist
from tests.support.outcomes import refused, scored, sha256

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def worklist(worklist_url: str) -> Iterator[Worklist]:
    opened = Worklist.open(worklist_url, lambda: NOW)
    yield opened
    opened.close()


def entered(worklist: Worklist, film: str, weeks: float, **header: str) -> str:
    received_at = NOW - timedelta(weeks=weeks)
    digest = sha256(film)
    entry_id, _ = worklist.receive(digest, film, Path("/kept") / digest, received_at)
    if header:
        worklist.record(scored(film, float(header.pop("probability")), header=Header(**header)))
    return entry_id


def enter_films(worklist: Worklist) -> tuple[str, str, str]:
    first = entered(
        *(worklist, "a", 0.1),
        probability="0.9",
        station_name="CR-1",
        manufacturer="Maker",
        institution_name="General",
        view_position="PA",
        patient_age="004Y",
    )
    second = entered(worklist, "b", 1, probability="0.125", station_name="DX-2", patient_age="070Y")
    third = entered(worklist, "c", 2, probability="0.75")
    entered(worklist, "d", 3)
    worklist.record(refused("d", ScoringState.REJECTED, "It is a lateral view."))
    entered(worklist, "e", 0.2)  # not scored yet
    entered(worklist, "old", 60, probability="0.5")
    return first, second, third


def add_reviews(worklist: Worklist, first: str, second: str, third: str) -> None:
    worklist.reviews.add(first, "Ada", False)
    worklist.reviews.add(first, "Ben", True)  # the last one counts
    worklist.reviews.add(second, "Ada", True)
    worklist.reviews.take_back([worklist.reviews.add(third, "Ada", False).number], "Ada")
    worklist.reviews.add(third, "Ben", Verdict.UNSURE)


def test_films_come_with_what_became_of_them(worklist: Worklist) -> None:
    add_reviews(worklist, *enter_films(worklist))
    films = worklist.drift.films(weeks=52)
    assert len(films) == 5
    assert sorted(monday(week).isoformat() for week in films.week) == [
        *("2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-23"),
    ]
    assert films.refused.sum() == 1
    assert np.isnan(films.probability[films.refused]).all()
    by_probability = {float(p): place for place, p in enumerate(films.probability)}
    one, two, three = (by_probability[p] for p in (0.9, 0.125, 0.75))
    assert list(films.pneumonia[[one, two, three]]) == [1, 1, NO_VERDICT]
    assert list(films.flagged_then[[one, two, three]]) == [True, False, False]
    assert list(films.flagged[[one, two, three]]) == [True, False, True]
    for by, name in (
        (SenderFact.STATION, "CR-1"),
        (SenderFact.MANUFACTURER, "Maker"),
        (SenderFact.INSTITUTION, "General"),
        (SenderFact.VIEW, "PA"),
        (SenderFact.AGE, "1 to 5 years"),
    ):
        assert list(films.senders[by].is_name(name)) == [place == one for place in range(5)]
    assert films.senders[SenderFact.AGE].is_name("65 years and over")[two]
    assert films.senders[SenderFact.AGE].is_name("")[three]
    assert list(films.model.is_name("model-1")) == list(~np.isnan(films.probability))
    assert list(films.model_then.is_name("model-1")) == [each in (one, two) for each in range(5)]


def test_an_empty_worklist_has_no_films(worklist: Worklist) -> None:
    assert len(worklist.drift.films(104)) == 0
