"""Films on their way through an installation, event by event.

Films of each hospital arrive at random at a rate that may change by the hour; each waits for its
receiver, the database, a scoring core and the database again. Service times are constant: films
differ little, and what matters is the queue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from training.scaling.deployment import Deployment
from training.scaling.part_costs import PartCosts


@dataclass(frozen=True, slots=True)
class CutOff:
    """A hospital without its line to the others: its films wait with their senders.

    Parameters
    ----------
    hospital
        Its number, from 0.
    begin, end
        In hours from the start.
    """

    hospital: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class FlowResult:
    """What became of the films.

    Parameters
    ----------
    arrived, scored
        Numbers of films.
    waits
        Seconds from arrival to the outcome, of each film that had none to wait for a line.
    seconds
        From the start until the last film was scored.
    busy
        Share of the time that scoring cores and database worked.
    caught_up_seconds
        From the end of the cut-off until its hospital's last held film was scored; 0 without one.
    """

    arrived: int
    scored: int
    waits: Sequence[float]
    seconds: float
    busy: dict[str, float]
    caught_up_seconds: float

    def wait(self, share: float) -> float:
        """Return the wait in seconds that a share of the films does not exceed."""
        return float(np.quantile(self.waits, share)) if self.waits else 0.0


def simulate_flow(
    deployment: Deployment,
    costs: PartCosts,
    films_an_hour: Sequence[float],
    cut_off: CutOff | None = None,
    seed: int = 0,
) -> FlowResult:
    """Let films arrive for some hours, and go on until the last is scored.

    Parameters
    ----------
    films_an_hour
        Of all hospitals together, for each hour.
    cut_off
        A hospital whose line fails for a while.
    """
    return _Flow(deployment, costs, cut_off, seed).run(films_an_hour)


def backlog_rate(costs: PartCosts, films: int, cores: int) -> float:
    """Return the films a second of a backlog that is all there at the start, starting up counted.

    One process enters the films, on the cores that score them.
    """
    environment = simpy.Environment(initial_time=costs.start_seconds)
    scorers = simpy.Resource(environment, cores)

    def scored() -> Iterator[Any]:
        with scorers.request() as turn:
            yield turn
            yield environment.timeout((costs.score_ms + costs.entering_ms) / 1000)

    for _ in range(films):
        environment.process(scored())  # type: ignore[arg-type]  # an iterator is enough
    environment.run()
    return films / environment.now


class _Flow:
    """One simulation."""

    def __init__(
        self, deployment: Deployment, costs: PartCosts, cut_off: CutOff | None, seed: int
    ) -> None:
        self._environment = simpy.Environment()
        self._costs = costs
        self._cut_off = cut_off
        self._rng = np.random.default_rng(seed)
        self._receivers = [
            simpy.Resource(self._environment, deployment.receiver_cores)
            for _ in range(deployment.hospitals)
        ]
        self._scorers = simpy.Resource(self._environment, deployment.scoring_cores)
        self._database = simpy.Resource(self._environment, deployment.database_cores)
        self._capacity = {
            "scoring": deployment.scoring_cores,
            "database": deployment.database_cores,
        }
        self._worked = dict.fromkeys(self._capacity, 0.0)
        self._arrived = 0
        self._scored = 0
        self._waits: list[float] = []
        self._last = self._caught_up = 0.0

    def run(self, films_an_hour: Sequence[float]) -> FlowResult:
        self._environment.process(self._arrivals(films_an_hour))  # type: ignore[arg-type]
        self._environment.run()
        return FlowResult(
            arrived=self._arrived,
            scored=self._scored,
            waits=self._waits,
            seconds=self._last,
            busy={
                name: worked / (self._capacity[name] * self._last or 1.0)
                for name, worked in self._worked.items()
            },
            caught_up_seconds=self._caught_up,
        )

    def _arrivals(self, films_an_hour: Sequence[float]) -> Iterator[Any]:
        """Let films of all hospitals arrive at random, as a Poisson process of each hour."""
        for hour, rate in enumerate(films_an_hour):
            count = int(self._rng.poisson(rate))
            for moment in np.sort(self._rng.uniform(hour, hour + 1, count)) * 3600:
                yield self._environment.timeout(moment - self._environment.now)
                hospital = int(self._rng.integers(len(self._receivers)))
                self._arrived += 1
                self._environment.process(self._film(hospital))  # type: ignore[arg-type]

    def _film(self, hospital: int) -> Iterator[Any]:
        """Take one film from its arrival to its outcome."""
        arrived = self._environment.now
        with self._receivers[hospital].request() as turn:
            yield turn
            yield self._environment.timeout(self._costs.receive_ms / 1000)
        held = self._held_until(hospital)
        if held is not None:
            yield self._environment.timeout(held - self._environment.now)
        yield from self._served(self._database, "database", self._costs.database_ms / 2)
        yield from self._served(self._scorers, "scoring", self._costs.score_ms)
        yield from self._served(self._database, "database", self._costs.database_ms / 2)
        self._scored += 1
        self._last = self._environment.now
        if held is None:
            self._waits.append(self._last - arrived)
        else:
            self._caught_up = max(self._caught_up, self._last - held)

    def _held_until(self, hospital: int) -> float | None:
        """Return when the line of a hospital is there again; None if it is."""
        cut = self._cut_off
        if cut is None or cut.hospital != hospital:
            return None
        begin, end = cut.begin * 3600, cut.end * 3600
        return end if begin <= self._environment.now < end else None

    def _served(self, part: simpy.Resource, name: str, milliseconds: float) -> Iterator[Any]:
        with part.request() as turn:
            yield turn
            yield self._environment.timeout(milliseconds / 1000)
        self._worked[name] += milliseconds / 1000
