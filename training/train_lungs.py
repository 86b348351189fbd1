"""Train the network that finds the lungs.

    python -m training.train_lungs --data DIR --outlines FILE.npz [--adults DIR] [--further DIR]
        --out weights/lungs.safetensors

It learns from outlines of children's lungs, then from those of adults that it draws alike on
changed copies of a film. FILE.npz holds ``name`` (file names of films below DIR) and ``bits``
(packed masks of 96 x 96). `training.train` puts the network into every lung-crop checkpoint.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.command_line.output_path import prepare_output
from training.fit.lung_training import LungOptions, train_lungs


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable data, usage or settings."""
    options = _parser().parse_args(arguments, LungOptions())
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        prepare_output(options.out)
        figures = train_lungs(options, Settings.read())
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(figures))
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train_lungs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--outlines", type=Path, required=True, help="outlines of its films")
    parser.add_argument("--adults", type=Path, help="adults' films: labels.csv and images/")
    parser.add_argument("--further", type=Path, help="films from elsewhere, by class")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--epochs", type=whole_number(1, 1000), default=7, help="on children's films; default: 7"
    )
    parser.add_argument(
        "--later-epochs", type=whole_number(1, 1000), default=3, help="with the others; default: 3"
    )
    parser.add_argument("--seed", type=whole_number(0, HIGHEST_SEED), default=0, help="default: 0")
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
