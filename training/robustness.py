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
import json
import sys
from pathlib import Path
from typing import Any

from cxr_app import log_privacy
from cxr_app.errors import CxrError, TrainingDataError
from cxr_app.model.classifier import Classifier
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.output_path import prepare_output
from training.data.dataset import find_films
from training.measure.judge import DRAWN_FILMS, acquire, judge, table
from training.measure.predictions import score_films
from training.report.partitions import PARTITIONS, films_of_partition


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        found = _run(options, Settings.read())
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
    parser.add_argument(
        "--partition",
        choices=PARTITIONS,
        default="all",
        help="the films to measure on; default: all",
    )
    add_device_option(parser)
    parser.add_argument(
        "--films",
        type=int,
        default=DRAWN_FILMS,
        help=f"how many films are re-rendered and shifted; default: {DRAWN_FILMS}",
    )
    parser.add_argument("--seed", type=int, default=0, help="of groups, films and looks drawn")
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Measure what the command line asks for."""
    if options.json:
        prepare_output(options.json)
    if options.films < 2:
        raise TrainingDataError(f"--films is {options.films}; give at least 2.")
    device = options.device or settings.device
    classifier = Classifier.load(options.checkpoint or settings.checkpoint, device)
    films = find_films(options.data)
    acquired = acquire(films, seed=options.seed)
    chosen = films_of_partition(films, options.partition, classifier, settings.cache_dir)
    (scored,) = score_films([classifier], chosen)
    found = judge(classifier, scored, acquired, films=options.films, seed=options.seed)
    found |= {
        "model_version": classifier.model_version,
        "partition": options.partition,
        "failed": len(films) - len(acquired.films),
    }
    if options.json:
        text = json.dumps(found, indent=1, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
