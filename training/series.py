r"""Hold out one series of normal films for testing: films that differ from the training films.

    python -m training.series --data DIR --keep NORMAL2 --out manifest.csv
    python -m training.train --data manifest.csv --recipe resnet18_short --out RUN_DIR
    python -m training.evaluate --data manifest.csv --partition test \
        --checkpoint RUN_DIR/checkpoint.safetensors --json report.json

The manifest has every film of DIR. Its test partition has the normal films whose names begin as
given, and the films of one patient in five with pneumonia. Patients are chosen by a digest of
their identifier, so they are the same every time.
"""

import argparse
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from training.command_line.output_path import prepare_output
from training.data.dataset import find_films
from training.data.series_holdout import tested, write_manifest


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable films or paths."""
    options = _parser().parse_args(arguments)
    try:
        prepare_output(options.out)
        films = find_films(options.data)
        chosen = tested(films, options.keep)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    write_manifest(options.out, films, chosen)
    print(f"{sum(chosen)} of {len(films)} films are kept for testing.")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.series", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder")
    parser.add_argument("--keep", required=True, help="how the names of the kept films begin")
    parser.add_argument("--out", type=Path, required=True, help="the manifest to write")
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
