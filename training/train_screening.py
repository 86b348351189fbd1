"""Train the network that distinguishes frontal chest films from all other pictures.

    python -m training.train_screening --data DIR [--films DIR] --others DIR --out FILE

``--data`` has the films that the pneumonia network is trained on, ``--films`` further chest films
of any patients, ``--others`` pictures that are not chest films, one folder a kind. Drawn pictures
(`training.drawing.negatives`, `training.drawing.laterals`) are added. `training.embed_screening`
puts FILE into a checkpoint.
"""

import argparse
import logging
import sys
from pathlib import Path

from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.command_line.output_path import prepare_output
from training.view_network.fitting import train_view_network
from training.view_network.sources import TrainViewOptions, add_source_options, read_picture_sets


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data or usage that cannot be used."""
    options = _parser().parse_args(arguments, TrainViewOptions())
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    cache = Settings.read().cache_dir
    try:
        prepare_output(options.out)
        train, tune, validation = read_picture_sets(options, cache)
        train_view_network(train, tune, validation, options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train_screening",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--without", default="", help="a kind of --others to use for validation only"
    )
    parser.add_argument(
        "--steps", type=whole_number(1, 10**6), default=1100, help="batches to train on"
    )
    parser.add_argument("--seed", type=whole_number(0, HIGHEST_SEED), default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
