"""Train a recipe on labelled films.

    python -m training.train --data DIR [--recipe NAME] --out RUN_DIR

RUN_DIR gets ``checkpoint.safetensors``, ``metrics.json``, ``epochs.jsonl`` and ``curves.csv``.
The same command resumes an interrupted run after the last whole epoch. On several GPUs or
machines:

    torchrun --nproc-per-node 2 -m training.train --data DIR --recipe NAME --out RUN_DIR
"""

import argparse
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.number_types import HIGHEST_SEED, whole_number
from training.command_line.output_path import prepare_output
from training.fit import distributed
from training.fit.recipe import read_recipe
from training.fit.recipe_training import train
from training.fit.run_folder import RECORD
from training.fit.trainer import TrainingRun


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable data, usage or settings."""
    options = _parser().parse_args(arguments)
    level = logging.INFO if distributed.is_first() else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    try:
        overrides = {} if options.seed is None else {"seed": options.seed}
        if options.random_initialisation:
            overrides["initialisation"] = "random"
        recipe = read_recipe(options.recipe, **overrides)
        prepare_output(options.out / RECORD)
        settings = Settings.read()
        device = options.device or settings.device
        run = TrainingRun(
            options.out,
            settings.cache_dir,
            device,
            options.exact,
            options.further,
            options.adults,
        )
        train(recipe, options.data, run)
    except CxrError as error:
        if distributed.is_first():
            print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument(
        "--further",
        type=Path,
        metavar="DIR",
        help="also train on films from elsewhere, in subfolders NORMAL and PNEUMONIA or COVID-19",
    )
    parser.add_argument(
        "--adults",
        type=Path,
        metavar="DIR",
        help="also train on films of adults: labels.csv and images/ (recipe crop_and_film)",
    )
    parser.add_argument("--recipe", default=SHIPPED, help="a name, or the path of a .toml file")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument(
        "--seed", type=whole_number(0, HIGHEST_SEED), help="replaces the recipe's seed"
    )
    parser.add_argument(
        "--random-initialisation",
        action="store_true",
        help="start from random weights even if the recipe starts from ImageNet's",
    )
    add_device_option(parser, "where to train; default: CXR_DEVICE")
    parser.add_argument(
        "--exact", action="store_true", help="single precision, even if half would be faster"
    )
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
