"""Measure what each part of the shipped recipe is worth, by short lessons.

    python -m training.steps --data DIR --adults DIR --further DIR
        --group "sharp, black surround" --out DIR

From the whole film to the recipe, one part more at a time: a network learns six short epochs with
each of three seeds; at the end the two that the recipe joins answer together. The films of one
acquisition group, which `training.explore` names, are held out. The same command resumes what was
stopped, and prints the AUROC on the held-out group, on validation films, on these under the worst
acquisition shift and in the worst look of another group, and on adults that were not learned from.
With one seed a process, several run side by side.
"""

import argparse
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.command_line.output_path import prepare_output
from training.fit.crop_training.recipe_steps import (
    FIGURES,
    StepsOptions,
    measure_steps,
    steps_table,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable films or paths."""
    options = _parser().parse_args(arguments, StepsOptions())
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        prepare_output(options.out / FIGURES)
        measure_steps(options, Settings.read().cache_dir)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(steps_table(options.out))
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.steps", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder")
    parser.add_argument("--adults", type=Path, help="adults' films: labels.csv and images/")
    parser.add_argument("--further", type=Path, help="films from elsewhere, by class")
    parser.add_argument(
        "--group",
        action="append",
        required=True,
        metavar="NAME",
        help="acquisition group that is held out; may be given several times",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the lessons")
    parser.add_argument(
        "--seeds",
        type=whole_number(0, HIGHEST_SEED),
        nargs="+",
        default=[0, 1, 2],
        help="default: 0 1 2",
    )
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
