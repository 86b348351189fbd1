"""How long films wait in a reading room, by the order in which they are read: a simulation.

Films arrive at random times, at every hour. Readers read one after another, are never idle in the
hours of reading while a film waits, and do not put a film aside for a more urgent one. The
quantities are those of QuCAD; beside the mean this reports the median, the longest waits, and how
long the films wait that the model misses.

References
----------
Thompson et al., QuCAD, https://github.com/DIDSR/QuCAD; Cobham 1954, *Operations Research* 2.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxr_app import priority
from cxr_app.evaluation.metrics import Booleans, Estimate, Floats
from cxr_app.outcome import Priority
from cxr_app.prediction import OperatingPoint

Spread = Literal["exponential", "lognormal"]

DAY_MINUTES = 24 * 60
TIERS = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)
LOGNORMAL_VARIATION = 0.5
"""Standard deviation over mean of a lognormal reading time; of an exponential one it is 1."""

FIRST_COME, AI_ORDER, AI_ORDER_CAPPED = "first come", "AI order", "AI order with cap"
MOST_FILMS = 12_000
"""Counted in a replication."""

DISCIPLINES = (FIRST_COME, AI_ORDER, AI_ORDER_CAPPED)

ALL, PNEUMONIA, WITHOUT, MISSED = "all", "with pneumonia", "without pneumonia", "missed"
GROUPS = (ALL, PNEUMONIA, WITHOUT, MISSED)
"""Films of a simulation; *missed* have pneumonia and are not flagged."""


@dataclass(frozen=True, slots=True)
class Room:
    """A reading room.

    Parameters
    ----------
    films_a_day, minutes_a_film
        Means.
    prevalence
        Share of films with pneumonia.
    cap_hours
        A film that has waited this long rises to the top, where the order has a cap.
    spread
        How reading times are distributed about their mean.
    backlog
        Films that wait already when it begins; their waits count from there.
    hours_a_day
        In which films are begun, the first of them when a day begins.
    """

    films_a_day: float
    readers: int
    minutes_a_film: float
    prevalence: float
    cap_hours: float
    spread: Spread = "exponential"
    backlog: int = 0
    hours_a_day: float = 24.0

    @property
    def load(self) -> float:
        """Reading that arrives, as a share of what the readers can do; from 1 on waits grow."""
        return self.films_a_day * self.minutes_a_film / (self.readers * self.hours_a_day * 60)


@dataclass(frozen=True, slots=True)
class Mix:
    """The model as the room meets it: the probabilities it gives films of either kind.

    Parameters
    ----------
    pneumonia
        Probabilities, ``(n,)``.
    truth
        Which of these films show pneumonia, ``(n,)``; both kinds must be there.
    operating_points
        That make tiers of probabilities, by name.
    """

    pneumonia: Floats
    truth: Booleans
    operating_points: Mapping[str, OperatingPoint]

    def __post_init__(self) -> None:
        if not self.truth.any() or self.truth.all():
            raise ValueError("films with and without pneumonia are needed")


@dataclass(frozen=True, slots=True)
class Span:
    """What is simulated and what of it is counted, in days.

    Films that arrive in `warm_up` or in as long a time after `days` are read but not counted, so
    that those counted meet a room in full swing. A room with a backlog is counted from its start.
    """

    days: float = 30.0
    warm_up: float = 2.0
    replications: int = 20
    seed: int = 0


def span_for(room: Room) -> Span:
    """Choose a month, or of a busier room as many whole days as are simulated in a second."""
    days = max(1.0, math.floor(min(30.0, MOST_FILMS / room.films_a_day)))
    return Span(days=days, warm_up=min(2.0, days / 4))


@dataclass(frozen=True, slots=True)
class SimulatedFilms:
    """The films of one replication in order of arrival, those of one moment by probability.

    Times are in minutes from the start; `tiers` are places in `TIERS`, and `queues` number the
    bands of all tiers in the order in which they are read; each ``(n,)``.
    """

    received: Floats
    reading: Floats
    tiers: NDArray[np.int_]
    queues: NDArray[np.int_]
    truth: Booleans
    counted: Booleans


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits of a group of films in minutes, each with its 95 % interval over replications.

    Parameters
    ----------
    longest
        The longest wait of a replication, on average: of a month, if that is what is simulated.
    films
        Counted in all replications together.
    """

    mean: Estimate
    median: Estimate
    percentile_95: Estimate
    longest: Estimate
    films: int


def simulate(room: Room, mix: Mix, span: Span = Span()) -> dict[str, dict[str, Wait]]:
    """Simulate a room under every discipline, with the same films in each.

    Returns
    -------
    dict
        By `DISCIPLINES`, then by `GROUPS`.
    """
    found: dict[str, dict[str, list[Floats]]] = {
        discipline: {group: [] for group in GROUPS} for discipline in DISCIPLINES
    }
    for generator in np.random.default_rng(span.seed).spawn(span.replications):
        films = draw(room, mix, span, generator)
        waited = np.zeros(0)
        for discipline in DISCIPLINES:
            if discipline != AI_ORDER_CAPPED or _reaches_cap(waited, room):
                waited = waits_under(discipline, films, room)
            for group, chosen in _groups(films).items():
                found[discipline][group].append(waited[chosen])
    return {
        discipline: {group: _summary(waits) for group, waits in groups.items()}
        for discipline, groups in found.items()
    }


def _reaches_cap(waited: Floats, room: Room) -> bool:
    """Return whether a cap changes these waits."""
    return bool((waited >= room.cap_hours * 60).any())


def draw(room: Room, mix: Mix, span: Span, generator: np.random.Generator) -> SimulatedFilms:
    """Draw the films of one replication: when each arrives, what it is, how long it is read."""
    warm_up = 0.0 if room.backlog else span.warm_up * DAY_MINUTES
    counted_until = warm_up + span.days * DAY_MINUTES
    end = counted_until + span.warm_up * DAY_MINUTES
    arriving = generator.poisson(room.films_a_day * end / DAY_MINUTES)
    received = np.concatenate([np.zeros(room.backlog), generator.uniform(0, end, arriving)])
    truth = generator.random(len(received)) < room.prevalence
    places = np.where(
        truth,
        generator.choice(np.flatnonzero(mix.truth), len(received)),
        generator.choice(np.flatnonzero(~mix.truth), len(received)),
    )
    reading = _reading_times(room, len(received), generator)
    order = np.lexsort((-mix.pneumonia[places], received))
    received, truth, places = received[order], truth[order], places[order]
    queue = np.array([queue_of(p, mix.operating_points) for p in mix.pneumonia])[places]
    counted = (received >= warm_up) & (received < counted_until)
    tiers = queue // len(priority.BAND_NUMBERS)
    return SimulatedFilms(received, reading, tiers, queue, truth, counted)


def queue_of(pneumonia_probability: float, operating_points: Mapping[str, OperatingPoint]) -> int:
    """Return the number of a film's band of its tier; 0 is read first."""
    tier = TIERS.index(priority.tier(pneumonia_probability, operating_points))
    return tier * len(priority.BAND_NUMBERS) + priority.band(pneumonia_probability)


def waits_under(discipline: str, films: SimulatedFilms, room: Room) -> Floats:
    """Return the wait of every film in minutes under one discipline."""
    queues = np.zeros_like(films.queues) if discipline == FIRST_COME else films.queues
    cap = room.cap_hours * 60 if discipline == AI_ORDER_CAPPED else math.inf
    open_minutes = room.hours_a_day * 60
    return waits(films.received, films.reading, queues, room.readers, cap, open_minutes)


def waits(
    received: Floats,
    reading: Floats,
    queues: NDArray[np.int_],
    readers: int,
    cap: float = math.inf,
    open_minutes: float = DAY_MINUTES,
) -> Floats:
    """Compute the wait of every film if the readers follow the order of the worklist.

    That order is: past the cap first; then by queue, which is a band of a tier; then by arrival.
    Within a queue films keep the order they are given in.

    Parameters
    ----------
    received
        When each film arrives, in minutes, never falling, ``(n,)``.
    reading
        How long each is read, ``(n,)``.
    queues
        0 is read first, ``(n,)``.
    cap
        Wait from which on a film goes before those that have waited less.
    open_minutes
        Of every day, from its beginning, in which films are begun; what is begun is finished.

    Returns
    -------
    ndarray
        Minutes from arrival to the start of reading, ``(n,)``.
    """
    arrivals, durations, place_of = received.tolist(), reading.tolist(), queues.tolist()
    waiting: list[deque[int]] = [deque() for _ in range(max(place_of, default=0) + 1)]
    free = [0.0] * readers  # when each reader is free, as a heap
    started = np.zeros(len(arrivals))
    now, coming, count = 0.0, 0, len(arrivals)
    for done in range(count):
        now = max(now, free[0])  # a reader who was free earlier had nothing to read
        if coming == done and arrivals[coming] > now:  # no film waits
            now = arrivals[coming]
        if now % DAY_MINUTES >= open_minutes:
            now += DAY_MINUTES - now % DAY_MINUTES
        while coming < count and arrivals[coming] <= now:
            waiting[place_of[coming]].append(coming)
            coming += 1
        film = _take(waiting, arrivals, now - cap)
        started[film] = now
        heapreplace(free, now + durations[film])
    return started - received


def _take(queues: Sequence[deque[int]], arrivals: Sequence[float], cap: float) -> int:
    """Remove and return the film that is read next; films from before `cap` wait too long."""
    if cap > -math.inf:
        for queue in queues:
            if queue and arrivals[queue[0]] <= cap:
                return queue.popleft()
    return next(filter(None, queues)).popleft()


def _reading_times(room: Room, films: int, generator: np.random.Generator) -> Floats:
    """Draw how long each film is read."""
    if room.spread == "exponential":
        return generator.exponential(room.minutes_a_film, films)
    variance = math.log(1 + LOGNORMAL_VARIATION**2)
    middle = math.log(room.minutes_a_film) - variance / 2
    return generator.lognormal(middle, math.sqrt(variance), films)


def _groups(films: SimulatedFilms) -> dict[str, Booleans]:
    """Return the counted films of each group."""
    chosen = {
        ALL: np.ones_like(films.truth),
        PNEUMONIA: films.truth,
        WITHOUT: ~films.truth,
        MISSED: films.truth & (films.tiers != TIERS.index(Priority.HIGH)),
    }
    return {group: films.counted & members for group, members in chosen.items()}


def _summary(replications: Sequence[Floats]) -> Wait:
    """Summarise the waits of a group, over the replications that have such films."""
    observed = [waits for waits in replications if len(waits)]
    rows = [(waits.mean(), *np.percentile(waits, [50, 95]), waits.max()) for waits in observed]
    columns = np.array(rows).reshape(-1, 4).T
    mean, median, percentile_95, longest = map(_over_replications, columns)
    return Wait(mean, median, percentile_95, longest, sum(map(len, observed)))


def _over_replications(values: Floats) -> Estimate:
    """Return the mean and its 95 % interval by Student's t; NaN for fewer than two values."""
    if not len(values):
        return Estimate(math.nan, math.nan, math.nan)
    value = float(values.mean())
    if len(values) < 2:
        return Estimate(value, math.nan, math.nan)
    error = values.std(ddof=1) / math.sqrt(len(values))
    from scipy.special import stdtrit  # here, for a server need not wait for it when it starts

    reach = float(stdtrit(len(values) - 1, 0.975) * error)
    return Estimate(value, value - reach, value + reach)
