"""Measure scoring and training against what this machine can do at most, in one run.

    python -m training.benchmark --against COMMIT
    python -m training.benchmark [--json FILE] [--memory N] [--kills N] [--entries N] [--receive N]
        [--results N] [--archive-kills N] [--arrivals N]

The films are drawn: 1400 x 1000 grey JPEG, 12-bit uncompressed DICOM and JPEG 2000 DICOM. Only
the ratios count: the rates mean little while the machine does other work.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from cxr_app.errors import CxrError
from training.bench.measurements import BenchmarkOptions, run_benchmark
from training.bench.result_table import result_table
from training.command_line.number_types import whole_number
from training.command_line.output_path import prepare_output

MEASURED = "resnet18_two_scales"
"""The recipe whose training step is compared with its network alone."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and return the exit status."""
    options = _parser().parse_args(arguments, BenchmarkOptions())
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        if options.json is not None:
            prepare_output(options.json)
        measured = run_benchmark(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json is not None:
        options.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    rows = result_table(measured)
    widths = [max(len(row[place]) for row in rows) for place in range(2)]
    for name, found, wanted in rows:
        print(f"{name:<{widths[0]}}  {found:>{widths[1]}}  {wanted}".rstrip())
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    count = whole_number(0, 10**8)
    add("--json", type=Path, metavar="FILE", help="also write all results to this file")
    add("--checkpoint", type=Path, metavar="FILE", help="default: CXR_CHECKPOINT")
    films = "of each format; default: 400; 0 measures neither scoring nor training"
    add("--films", type=whole_number(0, 10**6), default=400, metavar="N", help=films)
    add("--recipe", default=MEASURED, help=f"whose training is measured; default: {MEASURED}")
    add("--memory", type=count, metavar="N", help="also follow the memory over N films")
    add("--kills", type=count, metavar="N", help="also kill a run N times, and count what is lost")
    add("--entries", type=count, metavar="N", help="also fill a worklist with N entries")
    against = "instead compare with an earlier commit and with TorchXRayVision, turn by turn"
    add("--against", metavar="COMMIT", help=against)
    add(
        "--receive",
        type=count,
        metavar="N",
        help="also receive N large films, and Orthanc the same",
    )
    add(
        "--results", type=count, metavar="N", help="also make the results of N films for an archive"
    )
    killed = "also kill receiver, sender or server N times beside Orthanc, and count what is lost"
    add("--archive-kills", type=count, metavar="N", help=killed)
    arrivals = "also time N films from C-STORE to the list and to the result in Orthanc"
    add("--arrivals", type=count, metavar="N", help=arrivals)
    return parser


if __name__ == "__main__":
    sys.exit(main())
