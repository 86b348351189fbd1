"""Damage films at random, and check that the program handles each of them.

    python -m training.fuzz FOLDER [--mutants 100000] [--seed 0] [--start 0]

Each mutant is read, screened and scored like any film, and must end as SCORED, REJECTED or FAILED.
An unexpected error ends the run with its traceback, and with the number of the mutant for
``--start``. Exit status: 0 every mutant ended in a state, 2 wrong usage or settings.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

from cxr_app.errors import CxrError
from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from training.bench.mutants import count_states, read_seeds
from training.command_line.number_types import HIGHEST_SEED, whole_number


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.read()
        scorer = Scorer(Classifier.load(options.checkpoint or settings.checkpoint, settings.device))
        films = read_seeds(options.folder)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    numbers = range(options.start, options.start + options.mutants)
    counts = count_states(scorer, films, numbers, options.seed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.mutants} mutants of {len(films)} films in {time.monotonic() - began:.0f} s")
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    print(f"Peak memory, without the decoders: {memory:.0f} MB")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the films")
    parser.add_argument("--mutants", type=whole_number(1, 10**9), default=100_000)
    parser.add_argument("--seed", type=whole_number(0, HIGHEST_SEED), default=0)
    parser.add_argument(
        "--start", type=whole_number(0, 10**9), default=0, help="number of the first mutant"
    )
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    return parser


if __name__ == "__main__":
    sys.exit(main())
