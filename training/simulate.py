"""Plan an installation: which part is busy first, how long films wait, what a film costs.

    python -m training.simulate --films-a-year 10_000_000 --hospitals 200 --scoring-cores 8

What a film costs comes from `docs/scaling.md`, or from a file that ``training.benchmark --json``
wrote on the machine in question; then the rate of its backlog is compared with the simulated one.
"""

import argparse
import json
import sys
from argparse import Namespace
from pathlib import Path

from cxr_app.errors import CxrError
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


def main(arguments: list[str] | None = None) -> int:
    """Print what the installation can carry, and return the exit status."""
    options = _parser().parse_args(arguments, SimulationOptions())
    try:
        costs = PartCosts()
        if options.benchmark is not None:
            costs = costs.from_benchmark(options.benchmark, options.films)
            _print_check(options, costs)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    deployment = Deployment(
        options.films_a_year,
        options.hospitals,
        options.receiver_cores,
        options.scoring_cores,
        options.database_cores,
        options.replica_cores,
        busiest_hour=max(DAY) / 24,
    )
    _print_capacity(deployment, costs)
    _print_flow(deployment, costs, options.cut_off)
    _print_price(options, costs)
    return 0


def _print_check(options: SimulationOptions, costs: PartCosts) -> None:
    """Compare the simulated backlog with the measured one."""
    if options.benchmark is None:
        return
    measured = json.loads(options.benchmark.read_text(encoding="utf-8"))
    whole = float(measured["formats"][options.films]["whole"])
    found = backlog_rate(costs, int(measured["films"]), int(measured["cores"]))
    print(
        f"backlog of {measured['films']} {options.films} films: {found:.1f} films/s simulated, "
        f"{whole:.1f} measured ({found / whole - 1:+.0%})"
    )


def _print_capacity(deployment: Deployment, costs: PartCosts) -> None:
    peak = deployment.films_in_busiest_hour
    print(f"busiest hour: {peak:,.0f} films")
    for part, most in deployment.most_films_an_hour(costs).items():
        print(
            f"{part:<10} at most {most:>14,.0f} films an hour; busy at the peak: {peak / most:.0%}"
        )
    part, _ = deployment.first_to_saturate(costs)
    print(f"first to saturate: {part}")


def _print_flow(deployment: Deployment, costs: PartCosts, cut_off: float) -> None:
    mean = deployment.films_a_year / HOURS_A_YEAR
    hours = _hours([mean * share for share in DAY])
    cut_off = min(cut_off, len(hours))
    cut = CutOff(0, 0.0, cut_off) if cut_off else None
    result = simulate_flow(deployment, costs, hours, cut)
    print(f"simulated: {result.scored:,} films of {len(hours)} hours, the busiest of a day")
    print(
        f"from arrival to outcome: median {result.wait(0.5):.2f} s, p99 {result.wait(0.99):.2f} s"
    )
    if cut:
        print(
            f"a hospital cut off for {cut_off:g} hours: {result.arrived - len(result.waits):,} of "
            f"its films were held, and scored {result.caught_up_seconds:.0f} s after"
        )


def _hours(films: list[float]) -> list[float]:
    """Return the hours to simulate: the day, or only its busiest hours."""
    hours = films
    while len(hours) > 1 and sum(hours) > SIMULATED_FILMS:
        hours = hours[1:] if hours[0] <= hours[-1] else hours[:-1]
    return hours


def _print_price(options: SimulationOptions, costs: PartCosts) -> None:
    core_seconds = (costs.receive_ms + costs.score_ms + costs.database_ms) / 1000
    computing = core_seconds / 3600 * options.core_hour
    storing = costs.megabytes / 1e6 * options.terabyte_year
    print(
        f"a film: {core_seconds:.2f} s of a core, {costs.megabytes:g} MB; at "
        f"{options.core_hour:g} a core hour and {options.terabyte_year:g} a terabyte and year, "
        f"{computing:.6f} to score and {storing:.5f} to keep for a year"
    )


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.simulate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--films-a-year", type=float, default=100_000, metavar="N", help="default: 100000")
    add("--hospitals", type=int, default=1, metavar="N", help="each with a receiver; default: 1")
    add("--receiver-cores", type=int, default=1, metavar="N", help="of each; default: 1")
    add("--scoring-cores", type=int, default=2, metavar="N", help="shared by all; default: 2")
    add("--database-cores", type=int, default=2, metavar="N", help="of the primary; default: 2")
    add("--replica-cores", type=int, default=0, metavar="N", help="of read replicas; default: 0")
    add("--cut-off", type=float, default=0.0, metavar="HOURS", help="of one hospital; default: 0")
    add("--benchmark", type=Path, metavar="FILE", help="measurements of training.benchmark --json")
    add("--films", default="dicom", choices=("jpeg", "dicom", "jpeg2000"), help="default: dicom")
    add("--core-hour", type=float, default=0.05, metavar="PRICE", help="default: 0.05")
    add("--terabyte-year", type=float, default=250.0, metavar="PRICE", help="default: 250")
    return parser


if __name__ == "__main__":
    sys.exit(main())
