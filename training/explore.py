"""Write one page about a labelled data set, before anything is trained on it.

    python -m training.explore DIR [--out explore.html] [--json explore.json]

The page needs nothing else and names no file: counts by class, cause, patient and partition, sizes
and aspect ratios, tone curves, acquisition groups by class with those that have one class only,
identical films, and examples of each class and group. The JSON file also names identical films.
"""

import argparse
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.report.exploration import ExploreOptions, summary, write_exploration


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments, ExploreOptions())
    try:
        described = write_exploration(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(summary(described, options.out))
    return 1 if described["unreadable"] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.explore", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="Kaggle-layout folder or manifest")
    parser.add_argument("--out", type=Path, default=Path("explore.html"), help="the page to write")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    parser.add_argument(
        "--seed", type=whole_number(0, HIGHEST_SEED), default=0, help="of groups and examples"
    )
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
