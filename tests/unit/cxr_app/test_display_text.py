"""Probabilities are never more certain than they are; times are those of the server's clocks."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxr_app import display_text

PROBABILITIES = st.floats(0, 1)


@given(PROBABILITIES)
@example(0.005)
def test_no_probability_is_called_impossible_or_certain(probability: float) -> None:
    assert display_text.percent(probability) not in ("0 %", "100 %")


@given(PROBABILITIES)
def test_a_probability_is_shown_within_half_a_percent(probability: float) -> None:
    answer = float(display_text.percent(probability).strip("<> %"))
    assert abs(answer - 100 * probability) <= 1.0


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that moves this computer into another time zone."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "moment", "midnight"),
    [
        ("Pacific/Auckland", "2026-09-26T21:00", "2026-09-26T12:00"),  # clocks went forward at 2
        ("Pacific/Auckland", "2026-04-04T21:00", "2026-04-04T11:00"),  # and back at 3
        ("America/St_Johns", "2026-11-01T15:00", "2026-11-01T02:30"),
        ("America/Santiago", "2026-09-06T15:00", "2026-09-06T04:00"),  # there was no midnight
        ("America/Havana", "2026-11-01T15:00", "2026-11-01T04:00"),  # there were two
        ("Europe/Berlin", "2026-07-01T22:30", "2026-07-01T22:00"),
    ],
)
def test_a_day_begins_by_the_clocks_of_that_night(
    live_in: Callable[[str], None], zone: str, moment: str, midnight: str
) -> None:
    live_in(zone)
    found = display_text.midnight(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(midnight).replace(tzinfo=UTC)


def test_a_time_is_what_the_clocks_showed_then(live_in: Callable[[str], None]) -> None:
    live_in("Europe/Berlin")
    times = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 7)]
    assert [str(display_text.local(each)) for each in times] == [
        "2026-01-01 13:00:00",
        "2026-07-01 14:00:00",
    ]
    assert display_text.local(None) is None
