"""Train a challenger on films of this site, and compare it with the model in use.

    python -m training.retrain --data DIR [--data MANIFEST ...] [--reviewed MANIFEST] --out RUN_DIR

RUN_DIR gets ``films.csv`` (films trained on and films held out), the run itself in ``run/``, and
``comparison.json``: both models on the held-out films, and whether the challenger is not worse by
the rule of `training.measure.acceptance`. The same command resumes an interrupted retraining.
Films that were used for testing are never trained on.

Exit status: 0 done, 1 done but some held-out films could not be read, 2 usage, films or settings.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.operations.command_events import noted_command
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.output_path import prepare_output
from training.command_line.progress_file import begin_progress
from training.fit.challenger_training import COMPARISON, retrain
from training.fit.recipe import read_recipe
from training.fit.retrain_plan import RetrainRequest
from training.fit.retrain_progress import RetrainProgress


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        begin_progress(options.progress)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    progress = RetrainProgress(options.progress)
    try:
        prepare_output(options.out / COMPARISON)
        settings = Settings.read()
        device = options.device or settings.device
        recipe = read_recipe(options.recipe)
        with noted_command(settings, "training.retrain", creates=False):
            comparison = retrain(_request(options), recipe, settings, device, progress)
    except CxrError as error:
        if options.progress is None:  # else the file has it, and a log holds no file's name
            print(error, file=sys.stderr)
        progress.end(2, str(error))
        return 2
    print(json.dumps(comparison, indent=1))
    status = 1 if comparison["unreadable"] else 0
    progress.end(status)
    return status


def _request(options: argparse.Namespace) -> RetrainRequest:
    """Return the films and the model that the command line names."""
    return RetrainRequest(
        options.out,
        tuple(options.data),
        options.reviewed,
        options.checkpoint,
        tuple(options.within),
    )


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.retrain", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        action="append",
        default=[],
        help="Kaggle-layout folder or manifest; may be given several times",
    )
    add("--reviewed", type=Path, help="manifest of reviews; pneumonia may lack a cause there")
    add("--recipe", default=SHIPPED, help="a name, or the path of a .toml file")
    add("--checkpoint", type=Path, help="the model to compare with; default: the one in use")
    add("--out", type=Path, required=True, help="folder of this run")
    add(
        "--within",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="refuse a film outside DIR; may be given several times",
    )
    add("--progress", type=Path, metavar="FILE", help="write the progress to this JSON file")
    add_device_option(parser)
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
