"""Measure whether a checkpoint reads the lungs or the machine.

    python -m training.robustness --data DIR [--checkpoint FILE] [--json FILE]

Finds acquisition groups among the films of DIR from what is not lung, and measures the checkpoint
by group, on films re-rendered in the look of each group, and under acquisition shifts (blur,
gamma, half resolution, border crop, noise). A group whose films all have one class is named: a
network can learn it in place of the disease, and only the re-rendered films can show that.

``--partition validation`` measures on films that nothing was fitted or chosen on, and needs the
films that the checkpoint was trained from; groups and looks always come from all of DIR.
"""

import argparse
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.measure.judge import DRAWN_FILMS, table
from training.report.partitions import PARTITIONS
from training.report.robustness_report import RobustnessOptions, write_robustness


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments, RobustnessOptions())
    try:
        found = write_robustness(options, Settings.read())
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(found))
    return 1 if found["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.robustness", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--outlines", type=Path, help="outlines of lungs, to measure Dice")
    parser.add_argument(
        "--partition",
        choices=PARTITIONS,
        default="all",
        help="the films to measure on; default: all",
    )
    add_device_option(parser)
    parser.add_argument(
        "--films",
        type=whole_number(1, 10**6),
        default=DRAWN_FILMS,
        help=f"how many films are re-rendered and shifted; default: {DRAWN_FILMS}",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0, HIGHEST_SEED),
        default=0,
        help="of groups, films and looks drawn",
    )
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
