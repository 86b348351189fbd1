"""Measure a checkpoint on labelled films.

    python -m training.evaluate --data DIR [--checkpoint FILE] --json report.json

Writes report.json and, beside it, report.html: a page that needs no other file. Every labelled film
that can be read is measured, also those that screening would refuse, which are counted.

``--partition validation`` measures on the part of the training data that was used neither for
training nor for any choice; this needs the same films that the checkpoint was trained on.
``--partition test`` opens the published test partition, which no other command does.

``--against FILE`` compares with a second checkpoint on the same films. ``--shortcuts`` scores all
films again with border, letters, size and compression changed (eight times the work).
``--explain`` measures the heatmap.

``--scores FILE`` also writes the checkpoint's score of each film, without naming any film. Stored
beside the checkpoint as ``<its stem>.scores.json``, it is what the app's Model page computes from.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.number_types import share, whole_number
from training.explain.cams import METHODS, OWN
from training.report.checkpoint_report import EvaluateOptions, write_report
from training.report.partitions import PARTITIONS

EXPLAINED_FILMS = 32
"""Default of ``--films``, which takes some minutes on two cores."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments, EvaluateOptions())
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        report = write_report(options, Settings.read())
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1, allow_nan=False))
    return 1 if report["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    parser.add_argument("--json", type=Path, required=True, help="the report to write")
    parser.add_argument(
        "--partition",
        choices=PARTITIONS,
        default="all",
        help="the publisher's partition, or 'validation' as described above",
    )
    add_device_option(parser)
    parser.add_argument("--against", type=Path, help="a second checkpoint to compare with")
    parser.add_argument(
        "--prevalence", type=share, help="share of films with pneumonia at the place of use"
    )
    parser.add_argument("--scores", type=Path, help="the file of scores to write; see above")
    parser.add_argument("--shortcuts", action="store_true", help="see above")
    parser.add_argument("--explain", action="store_true", help="see above")
    parser.add_argument(
        "--films",
        type=whole_number(1, 10**6),
        default=EXPLAINED_FILMS,
        help=f"how many films --explain draws; default: {EXPLAINED_FILMS}",
    )
    parser.add_argument(
        "--cam", choices=METHODS, default=OWN, help="the map that --explain measures; default: ours"
    )
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
