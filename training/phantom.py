"""Draw chest films that show no real patient, for trying out the app.

python -m training.phantom FOLDER [--films 12] [--seed 1]
"""

import argparse
import sys
from pathlib import Path

from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.drawing.phantom_films import write_phantoms


def main(arguments: list[str] | None = None) -> int:
    """Write PNG films into a folder, clear ones and others in turn."""
    parser = argparse.ArgumentParser(prog="python -m training.phantom", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="created if it does not exist")
    parser.add_argument(
        "--films", type=whole_number(1, 10**6), default=12, help="how many; default: 12"
    )
    parser.add_argument(
        "--seed", type=whole_number(0, HIGHEST_SEED), default=1, help="of the first; default: 1"
    )
    options = parser.parse_args(arguments)
    try:
        write_phantoms(options.folder, range(options.seed, options.seed + options.films))
    except OSError as error:
        reason = error.strerror or error
        print(f"{options.folder} cannot be written: {reason}. Name a folder.", file=sys.stderr)
        return 2
    print(f"{options.films} films drawn in {options.folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
