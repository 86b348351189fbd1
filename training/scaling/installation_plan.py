"""What an installation on paper can carry, in sentences."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from training.scaling.deployment import HOURS_A_YEAR, Deployment
from training.scaling.film_flow import CutOff, backlog_rate, simulate_flow
from training.scaling.part_costs import PartCosts

_NIGHT = (0.2, 0.2, 0.2, 0.2, 0.2, 0.3)
_MORNING = (0.5, 1.2, 2.2, 2.4, 2.4, 2.3)
_AFTERNOON = (2.0, 1.9, 1.9, 1.8, 1.4, 1.0)
_EVENING = (0.6, 0.4, 0.3, 0.2, 0.1, 0.1)
DAY = (*_NIGHT, *_MORNING, *_AFTERNOON, *_EVENING)
"""Films of each hour of a day, against the mean hour: a working day, with its peak at ten."""
SIMULATED_FILMS = 120_000
"""At most; of a busier day only its busiest hours are simulated."""


class SimulationOptions(Namespace):
    """Options of `training.simulate`, whose help describes them."""

    films_a_year: float
    hospitals: int
    receiver_cores: int
    scoring_cores: int
    database_cores: int
    replica_cores: int
    cut_off: float
    benchmark: Path | None
    films: str
    core_hour: float
    terabyte_year: float


def plan_installation(options: SimulationOptions) -> Iterator[str]:
    """Yield what the installation can carry, line by line.

    Raises
    ------
    SettingsError
        If the benchmark's file is not what it wrote.
    """
    costs = PartCosts()
    if options.benchmark is not None:
        costs = costs.from_benchmark(options.benchmark, options.films)
        yield _check(options.benchmark, options.films, costs)
    deployment = Deployment(
        options.films_a_year,
        options.hospitals,
        options.receiver_cores,
        options.scoring_cores,
        options.database_cores,
        options.replica_cores,
        busiest_hour=max(DAY) / 24,
    )
    yield from _capacity(deployment, costs)
    yield from _flow(deployment, costs, options.cut_off)
    yield _price(options, costs)


def _check(benchmark: Path, films: str, costs: PartCosts) -> str:
    """Compare the simulated backlog with the measured one."""
    measured = json.loads(benchmark.read_text(encoding="utf-8"))
    whole = float(measured["formats"][films]["whole"])
    found = backlog_rate(costs, int(measured["films"]), int(measured["cores"]))
    return (
        f"backlog of {measured['films']} {films} films: {found:.1f} films/s simulated, "
        f"{whole:.1f} measured ({found / whole - 1:+.0%})"
    )


def _capacity(deployment: Deployment, costs: PartCosts) -> Iterator[str]:
    peak = deployment.films_in_busiest_hour
    yield f"busiest hour: {peak:,.0f} films"
    for part, most in deployment.most_films_an_hour(costs).items():
        busy = f"busy at the peak: {peak / most:.2%}"
        yield f"{part:<10} at most {most:>14,.0f} films an hour; {busy}"
    part, _ = deployment.first_to_saturate(costs)
    yield f"first to saturate: {part}"


def _flow(deployment: Deployment, costs: PartCosts, cut_off: float) -> Iterator[str]:
    mean = deployment.films_a_year / HOURS_A_YEAR
    hours = busiest_hours([mean * share for share in DAY])
    cut_off = min(cut_off, len(hours))
    cut = CutOff(0, 0.0, cut_off) if cut_off else None
    result = simulate_flow(deployment, costs, hours, cut)
    yield f"simulated: {result.scored:,} films of {len(hours)} hours, the busiest of a day"
    median, late = result.wait(0.5), result.wait(0.99)
    yield f"from arrival to outcome: median {median:.2f} s, p99 {late:.2f} s"
    if cut:
        yield (
            f"a hospital cut off for {cut_off:g} hours: {result.arrived - len(result.waits):,} of "
            f"its films were held, and scored {result.caught_up_seconds:.0f} s after"
        )


def busiest_hours(films: list[float]) -> list[float]:
    """Return the hours to simulate: the day, or only its busiest hours."""
    hours = films
    while len(hours) > 1 and sum(hours) > SIMULATED_FILMS:
        hours = hours[1:] if hours[0] <= hours[-1] else hours[:-1]
    return hours


def _price(options: SimulationOptions, costs: PartCosts) -> str:
    core_seconds = (costs.receive_ms + costs.score_ms + costs.database_ms) / 1000
    computing = core_seconds / 3600 * options.core_hour
    storing = costs.megabytes / 1e6 * options.terabyte_year
    return (
        f"a film: {core_seconds:.2f} s of a core, {costs.megabytes:g} MB; at "
        f"{options.core_hour:g} a core hour and {options.terabyte_year:g} a terabyte and year, "
        f"{computing:.6f} to score and {storing:.5f} to keep for a year"
    )
