"""The simulated reading room against what queueing theory and arithmetic say of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cxr_app.evaluation import queue_simulation
from cxr_app.evaluation.metrics import Estimate
from cxr_app.evaluation.queue_simulation import (
    AI_ORDER,
    AI_ORDER_CAPPED,
    ALL,
    DISCIPLINES,
    FIRST_COME,
    GROUPS,
    MISSED,
    PNEUMONIA,
    WITHOUT,
    Mix,
    Room,
    SimulatedFilms,
    Span,
    draw,
    simulate,
    waits,
    waits_under,
)
from cxr_app.prediction import OperatingPoint

POINTS = {
    "balanced": OperatingPoint("balanced", 0.5, 0.9, 0.9),
    "high_sensitivity": OperatingPoint("high_sensitivity", 0.2, 0.99, 0.8),
}
# Of ten films of each kind: nine of pneumonia are flagged, two without are, all in one band.
TRUTH = np.arange(20) < 10
PROBABILITIES = np.where(TRUTH, 0.65, 0.05)
PROBABILITIES[[0, 10, 11]] = [0.3, 0.6, 0.65]
MIX = Mix(PROBABILITIES, TRUTH, POINTS)
ROOM = Room(300, readers=1, minutes_a_film=3.84, prevalence=0.2, cap_hours=2)  # load 0.8
SPAN = Span(days=40, warm_up=3, replications=40)

seeds = st.integers(0, 10_000)


def erlang_c(load: float, readers: int) -> float:
    """The probability that a film waits at all in an M/M/c queue; `load` is a reader's."""
    offered = load * readers
    waiting = offered**readers / math.factorial(readers) / (1 - load)
    return waiting / (sum(offered**k / math.factorial(k) for k in range(readers)) + waiting)


def holds(estimate: Estimate, expected: float) -> bool:
    """Whether the interval holds it, and is narrow enough to mean something."""
    reach = estimate.high - estimate.value
    return abs(estimate.value - expected) <= reach < 0.15 * expected


def drawn(seed: int, room: Room = ROOM, days: float = 3.0) -> SimulatedFilms:
    span = Span(days=days, warm_up=0.2)
    return draw(room, MIX, span, np.random.default_rng(seed))


@pytest.mark.parametrize("readers", [1, 2, 5])
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_first_come_waits_as_long_as_theory_says(load: float, readers: int) -> None:
    minutes = load * readers * 1440 / 600
    room = replace(ROOM, films_a_day=600, readers=readers, minutes_a_film=minutes)
    expected = erlang_c(load, readers) * minutes / (readers * (1 - load))
    assert room.load == pytest.approx(load)

    wait = simulate(room, MIX, SPAN)[FIRST_COME][ALL]

    assert holds(wait.mean, expected)


def test_the_95th_percentile_of_one_reader_is_that_of_theory() -> None:
    # An M/M/1 wait is longer than x with probability load * exp(-(1 - load) x / minutes).
    expected = ROOM.minutes_a_film / (1 - ROOM.load) * math.log(ROOM.load / 0.05)
    assert holds(simulate(ROOM, MIX, SPAN)[FIRST_COME][ALL].percentile_95, expected)


def test_reading_times_that_vary_less_make_films_wait_less() -> None:
    # Pollaczek and Khinchine: the wait grows with 1 + (standard deviation / mean) squared.
    room = replace(ROOM, spread="lognormal")
    exponential = ROOM.load * ROOM.minutes_a_film / (1 - ROOM.load)
    expected = exponential * (1 + queue_simulation.LOGNORMAL_VARIATION**2) / 2
    assert holds(simulate(room, MIX, SPAN)[FIRST_COME][ALL].mean, expected)


def test_two_tiers_wait_as_long_as_cobham_says() -> None:
    one_point = {"balanced": POINTS["balanced"]}  # no middle tier
    mix = Mix(PROBABILITIES, TRUTH, one_point)
    flagged = 0.9 * ROOM.prevalence + 0.2 * (1 - ROOM.prevalence)
    of_flagged, of_all = ROOM.load * flagged, ROOM.load
    left = ROOM.load * ROOM.minutes_a_film  # mean of what is left of the film being read
    # Cobham 1954, eq. 3
    first = left / (1 - of_flagged)
    second = left / ((1 - of_flagged) * (1 - of_all))

    found = simulate(ROOM, mix, SPAN)[AI_ORDER]

    assert holds(found[MISSED].mean, second)
    assert holds(found[PNEUMONIA].mean, 0.9 * first + 0.1 * second)
    assert holds(found[WITHOUT].mean, 0.2 * first + 0.8 * second)


@given(seed=seeds, readers=st.integers(1, 4), cap=st.floats(0.01, 5))
def test_no_order_makes_films_wait_less_together(seed: int, readers: int, cap: float) -> None:
    room = replace(ROOM, readers=readers, minutes_a_film=3.84 * readers, cap_hours=cap)
    films = drawn(seed, room)
    films = replace(films, reading=np.full_like(films.reading, room.minutes_a_film))

    means = [waits_under(discipline, films, room).mean() for discipline in DISCIPLINES]

    assert means == pytest.approx([means[0]] * 3)


def test_the_mean_over_all_films_does_not_hang_on_the_order() -> None:
    found = simulate(replace(ROOM, cap_hours=0.5), MIX, SPAN)
    means = [found[discipline][ALL].mean.value for discipline in DISCIPLINES]
    assert means == pytest.approx([means[0]] * 3, rel=0.02)


@given(seed=seeds, readers=st.integers(1, 4), cap=st.floats(0.01, 5))
def test_every_film_is_read_once_by_a_reader_after_its_arrival(
    seed: int, readers: int, cap: float
) -> None:
    room = replace(ROOM, readers=readers, minutes_a_film=3.84 * readers, cap_hours=cap, backlog=20)
    films = drawn(seed, room)
    for discipline in DISCIPLINES:
        waited = waits_under(discipline, films, room)
        assert waited.shape == films.received.shape
        assert (waited >= 0).all()
        begun = films.received + waited
        ended = begun + films.reading
        at_once = [int(np.sum((begun <= moment) & (ended > moment))) for moment in begun]
        assert max(at_once) <= readers
        idle = np.array(at_once) < readers  # then nobody else waits
        for moment in begun[idle]:
            assert not ((films.received < moment - 1e-9) & (begun > moment + 1e-9)).any()


@given(seed=seeds, readers=st.integers(1, 3))
def test_first_come_reads_in_order_of_arrival_and_of_nothing_else(seed: int, readers: int) -> None:
    films = drawn(seed)
    waited = waits_under(FIRST_COME, films, replace(ROOM, readers=readers))
    assert (np.diff(films.received + waited) >= 0).all()
    other = replace(films, tiers=films.tiers[::-1].copy())
    assert (waits_under(FIRST_COME, other, replace(ROOM, readers=readers)) == waited).all()


def overtakers(films: SimulatedFilms, begun: NDArray[np.float64], film: int) -> NDArray[np.intp]:
    """Films that came later and were begun earlier."""
    received = films.received
    return np.flatnonzero((received > received[film]) & (begun < begun[film]))


@given(seed=seeds, readers=st.integers(1, 3), cap=st.floats(0.05, 3))
def test_only_who_may_overtakes(seed: int, readers: int, cap: float) -> None:
    room = replace(ROOM, readers=readers, minutes_a_film=3.84 * readers, cap_hours=cap)
    films = drawn(seed, room, days=1)
    begun = films.received + waits_under(AI_ORDER_CAPPED, films, room)
    for film in range(len(begun)):
        others = overtakers(films, begun, film)
        before = films.tiers[others] < films.tiers[film]
        assert before.all()
        after_cap = begun[others] >= films.received[film] + cap * 60 + 1e-6
        waited = begun[others] - films.received[others]
        assert (waited[after_cap] >= cap * 60 - 1e-6).all()  # nobody but who waits too long as well


@given(seed=seeds, minutes=st.floats(1, 4.5))
def test_the_cap_bounds_the_longest_wait(seed: int, minutes: float) -> None:
    """With one reader, no film waits longer than the cap and the most work that ever waits.

    That holds where that work is no more than the cap: whoever comes after a film has passed
    the cap has then not waited long enough itself to go before it.
    """
    films = drawn(seed, replace(ROOM, minutes_a_film=minutes))
    first_come = waits_under(FIRST_COME, films, ROOM)
    most_work = float((first_come + films.reading).max())

    for cap in (most_work, 2 * most_work):
        waited = waits(films.received, films.reading, films.tiers, 1, cap)
        assert waited.max() <= cap + most_work + 1e-6


def test_a_cap_is_first_come_or_ai_order_at_its_ends() -> None:
    films = drawn(0)
    never = waits(films.received, films.reading, films.tiers, 1, 1e9)
    assert (never == waits_under(AI_ORDER, films, ROOM)).all()
    one_tier = np.zeros_like(films.tiers)
    at_once = waits(films.received, films.reading, one_tier, 1, 0.0)
    assert (at_once == waits_under(FIRST_COME, films, ROOM)).all()


@pytest.mark.parametrize("cap_hours", [0.1, 1.0, 100.0])
def test_the_simulation_reads_with_the_cap_it_is_given(cap_hours: float) -> None:
    room, span = replace(ROOM, cap_hours=cap_hours), Span(days=2, warm_up=0.5, replications=1)
    found = simulate(room, MIX, span)[AI_ORDER_CAPPED][ALL]

    (generator,) = np.random.default_rng(span.seed).spawn(1)
    films = draw(room, MIX, span, generator)
    expected = waits_under(AI_ORDER_CAPPED, films, room)[films.counted]
    assert found.longest.value == expected.max()
    assert found.median.value == np.median(expected)


@given(seed=seeds, readers=st.integers(1, 3), hours=st.floats(2, 23.5), cap=st.floats(0.1, 30))
def test_no_film_is_started_while_no_reader_works(
    seed: int, readers: int, hours: float, cap: float
) -> None:
    room = replace(ROOM, readers=readers, minutes_a_film=2.0, cap_hours=cap, hours_a_day=hours)
    films = drawn(seed, room, days=2)
    for discipline in DISCIPLINES:
        waited = waits_under(discipline, films, room)
        into_day = (films.received + waited) % 1440
        assert ((into_day < hours * 60 + 1e-6) | (into_day > 1440 - 1e-6)).all()
        assert (waited >= 0).all()


def test_films_of_the_night_wait_for_the_morning_and_the_flagged_are_first() -> None:
    received, tiers = np.array([481.0, 600.0, 1400.0]), np.array([2, 2, 0])
    waited = waits(received, np.full(3, 5.0), tiers, 1, open_minutes=480)
    assert (received + waited).tolist() == [1445.0, 1450.0, 1440.0]


def test_films_of_one_moment_find_all_readers_free() -> None:
    waited = waits(np.array([10.0, 10.0, 10.0]), np.full(3, 5.0), np.zeros(3, int), 2)
    assert waited.tolist() == [0.0, 0.0, 5.0]


def test_fewer_hours_are_a_higher_load() -> None:
    assert replace(ROOM, hours_a_day=12).load == pytest.approx(2 * ROOM.load)


def test_films_of_one_moment_and_tier_are_read_by_probability() -> None:
    room = replace(ROOM, films_a_day=0.0, backlog=50)
    films = drawn(1, room)
    begun = waits_under(AI_ORDER, films, room)
    probable = np.flatnonzero(films.tiers == 0)
    assert (films.received == 0).all()
    assert (np.diff(begun[probable]) > 0).all()
    assert films.tiers[np.argsort(begun)].tolist() == sorted(films.tiers.tolist())


def test_a_flag_helps_who_has_it_and_costs_the_others() -> None:
    found = simulate(ROOM, MIX, SPAN)
    first, ai = found[FIRST_COME], found[AI_ORDER]
    assert ai[PNEUMONIA].mean.high < first[PNEUMONIA].mean.low
    assert ai[WITHOUT].longest.value > first[WITHOUT].longest.value
    assert ai[MISSED].mean.value > ai[PNEUMONIA].mean.value
    for groups in found.values():
        assert groups[PNEUMONIA].films + groups[WITHOUT].films == groups[ALL].films
        for group in GROUPS:
            wait = groups[group]
            shown = (wait.median.value, wait.percentile_95.value, wait.longest.value)
            assert list(shown) == sorted(shown)


def test_the_same_seed_gives_the_same_waits() -> None:
    short = Span(days=2, replications=3)
    assert simulate(ROOM, MIX, short) == simulate(ROOM, MIX, short)
    assert simulate(ROOM, MIX, short) != simulate(ROOM, MIX, replace(short, seed=1))


def test_a_model_that_misses_nothing_has_no_wait_to_tell() -> None:
    sure = Mix(np.where(TRUTH, 0.9, 0.1), TRUTH, POINTS)
    missed = simulate(ROOM, sure, Span(days=1, replications=2))[AI_ORDER][MISSED]
    assert missed.films == 0
    assert math.isnan(missed.mean.value)


def test_films_of_one_kind_are_no_mix() -> None:
    with pytest.raises(ValueError, match="with and without pneumonia"):
        Mix(np.array([0.5]), np.array([True]), POINTS)
