"""Count which chest films and other pictures the app refuses, by kind.

    python -m training.rejections --data DIR [--films DIR] [--others DIR] [--most 150]

The folders are those of `training.train_screening`. Only pictures are used that the checkpoint's
networks were not trained on. Each is processed like any file, from its bytes to its outcome: chest
films also rotated, mirrored and with inverted greys, other pictures also in grey, as PNG.
"""

import argparse
import logging
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from training.command_line.number_types import whole_number
from training.view_network.refusal_counts import RejectionOptions, choose_pictures, refusal_rows
from training.view_network.sources import add_source_options


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data or usage that cannot be used."""
    options = _parser().parse_args(arguments, RejectionOptions())
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        settings = Settings.read()
        checkpoint = options.checkpoint or settings.checkpoint
        scorer = Scorer(Classifier.load(checkpoint, settings.device), settings.other_ages)
        films, others = choose_pictures(options, scorer, settings.cache_dir)
        print("| pictures | n | refused or noticed | 95 % interval | most common reason |")
        print("|---|---|---|---|---|")
        for row in refusal_rows(scorer, films, others):
            print(f"| {' | '.join(row)} |", flush=True)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.rejections",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_options(parser)
    parser.add_argument(
        "--most", type=whole_number(1, 10**6), default=150, help="pictures of a kind; default: 150"
    )
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
