r"""Hold out films that differ from the others for testing: a series, or an acquisition group.

    python -m training.series --data DIR --keep NORMAL2 --out manifest.csv
    python -m training.series --data DIR --group "sharp, black surround" --out manifest.csv
    python -m training.train --data manifest.csv --recipe resnet18_short --out RUN_DIR
    python -m training.evaluate --data manifest.csv --partition test \
        --checkpoint RUN_DIR/checkpoint.safetensors --json report.json

With --keep the manifest has every film of DIR. Its test partition has the normal films whose names
begin as given, and the films of one patient in five with pneumonia. Patients are chosen by a digest
of their identifier, so they are the same every time. With --group the test partition has the films
of one or more of the acquisition groups that `training.explore` finds; other films of their
patients are left out.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from training.command_line.output_path import prepare_output
from training.data.dataset import LabelledFilm, find_films
from training.data.series_holdout import TEST, without_groups, without_series, write_manifest
from training.measure.judge import acquire


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable films or paths."""
    options = _parser().parse_args(arguments)
    try:
        prepare_output(options.out)
        films: Sequence[LabelledFilm] = find_films(options.data)
        if options.group:
            acquired = acquire(films)
            films = acquired.films
            partitions = without_groups(films, acquired.groups, options.group)
        else:
            partitions = without_series(films, options.keep)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    write_manifest(options.out, films, partitions)
    print(f"{partitions.count(TEST)} of {len(films)} films are kept for testing.")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.series", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder")
    kept = parser.add_mutually_exclusive_group(required=True)
    kept.add_argument("--keep", metavar="PREFIX", help="how the names of the kept films begin")
    kept.add_argument(
        "--group",
        action="append",
        metavar="NAME",
        help="name of an acquisition group; may be given several times",
    )
    parser.add_argument("--out", type=Path, required=True, help="the manifest to write")
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
