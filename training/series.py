r"""Keep one series of normal films for testing: how a network does on films unlike its own.

    python -m training.series --data DIR --keep NORMAL2 --out manifest.csv
    python -m training.train --data manifest.csv --recipe resnet18_short --out RUN_DIR
    python -m training.evaluate --data manifest.csv --partition test \
        --checkpoint RUN_DIR/checkpoint.safetensors --json report.json

The manifest has every film of DIR. Normal films whose names begin as given are its test partition,
together with the films of one patient in five with pneumonia: chosen by the patient's name, so the
same ones every time.
"""

import argparse
import csv
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError, TrainingDataError
from training.command_line.output_path import prepare_output
from training.data.dataset import MANIFEST_COLUMNS, LabelledFilm, find_films

ONE_IN = 5


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for films or paths that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        prepare_output(options.out)
        films = find_films(options.data)
        kept = keep(films, options.keep)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    with options.out.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(MANIFEST_COLUMNS)
        for film, is_kept in zip(films, kept, strict=True):
            path = os.path.relpath(film.path, options.out.parent)
            partition = "test" if is_kept else "train"
            writer.writerow((path, film.target, film.cause, film.patient_id, partition))
    print(f"{sum(kept)} of {len(films)} films are kept for testing.")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.series", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder")
    parser.add_argument("--keep", required=True, help="how the names of the kept films begin")
    parser.add_argument("--out", type=Path, required=True, help="the manifest to write")
    return parser


def keep(films: Sequence[LabelledFilm], beginning: str) -> list[bool]:
    """Say of each film whether it is kept for testing.

    Raises
    ------
    TrainingDataError
        If no normal film is in the series, or every one.
    """
    kept = [
        film.path.name.startswith(beginning) if film.target == "NORMAL" else _is_drawn(film)
        for film in films
    ]
    normal = [is_kept for film, is_kept in zip(films, kept, strict=True) if not film.cause]
    if len(set(normal)) < 2:
        raise TrainingDataError(
            f"{sum(normal)} of the {len(normal)} normal films have names that begin with "
            f"{beginning!r}: a series is some of them. In this data there are IM and NORMAL2."
        )
    return kept


def _is_drawn(film: LabelledFilm) -> bool:
    digest = hashlib.sha256(film.patient_id.encode(errors="surrogateescape")).digest()
    return digest[0] % ONE_IN == 0


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
