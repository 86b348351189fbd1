"""Plan an installation: which part is busy first, how long films wait, what a film costs.

    python -m training.simulate --films-a-year 10_000_000 --hospitals 200 --scoring-cores 8

What a film costs comes from `docs/scaling.md`, or from a file that ``training.benchmark --json``
wrote on the machine in question; then the rate of its backlog is compared with the simulated one.
"""

import argparse
import sys
from pathlib import Path

from cxr_app.errors import CxrError
from training.command_line.number_types import number, whole_number
from training.scaling.installation_plan import SimulationOptions, plan_installation

MOST_CORES = 10**6


def main(arguments: list[str] | None = None) -> int:
    """Print what the installation can carry, and return the exit status."""
    options = _parser().parse_args(arguments, SimulationOptions())
    try:
        for line in plan_installation(options):
            print(line)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.simulate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    cores, price = whole_number(1, MOST_CORES), number(0, 1e9)
    add("--films-a-year", type=number(1, 1e9), default=100_000, metavar="N", help="default: 100000")
    add(
        "--hospitals",
        type=whole_number(1, 10**6),
        default=1,
        metavar="N",
        help="each with a receiver; default: 1",
    )
    add("--receiver-cores", type=cores, default=1, metavar="N", help="of each; default: 1")
    add("--scoring-cores", type=cores, default=2, metavar="N", help="shared by all; default: 2")
    add("--database-cores", type=cores, default=2, metavar="N", help="of the primary; default: 2")
    add(
        "--replica-cores",
        type=whole_number(0, MOST_CORES),
        default=0,
        metavar="N",
        help="of read replicas; default: 0",
    )
    add(
        "--cut-off",
        type=number(0, 24),
        default=0.0,
        metavar="HOURS",
        help="of one hospital; default: 0",
    )
    add("--benchmark", type=Path, metavar="FILE", help="measurements of training.benchmark --json")
    add("--films", default="dicom", choices=("jpeg", "dicom", "jpeg2000"), help="default: dicom")
    add("--core-hour", type=price, default=0.05, metavar="PRICE", help="default: 0.05")
    add("--terabyte-year", type=price, default=250.0, metavar="PRICE", help="default: 250")
    return parser


if __name__ == "__main__":
    sys.exit(main())
