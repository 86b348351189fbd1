"""Measure a checkpoint on labelled films.

    python -m training.evaluate --data DIR [--checkpoint FILE] --json report.json

Every labelled film that can be read is measured, also those that screening would refuse, which
are counted. ``--partition validation`` measures on the part of the training data that nothing
was fitted or chosen on; this needs the very films that the checkpoint was trained from.
"""

import argparse
import json
import logging
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cxr_app import screening
from cxr_app.classifier import Classifier
from cxr_app.errors import CxrError, FilmError, TrainingDataError
from cxr_app.intake import read_radiograph
from cxr_app.prediction import Prediction
from cxr_app.preprocessing import NetworkInput
from cxr_app.settings import Settings
from training.dataset import LabelledFilm, decode, find_films, pixel_digests
from training.report import measure
from training.splits import split

BATCH = 16


@dataclass(frozen=True, slots=True)
class Read:
    """A labelled film, read; without a network input where that failed."""

    film: LabelledFilm
    network_input: NetworkInput | None
    rejected: bool


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        settings = Settings.read()
        device = options.device or settings.device
        classifier = Classifier.load(options.checkpoint or settings.checkpoint, device)
        films = choose(find_films(options.data), options.partition, classifier, settings)
        report = evaluate(classifier, films)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    text = json.dumps(report, indent=1, allow_nan=False)
    options.json.write_text(text + "\n", encoding="utf-8")
    print(text)
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
        choices=("all", "train", "val", "test", "validation"),
        default="all",
        help="the publisher's partition, or 'validation' as described above",
    )
    devices = ("auto", "cuda", "mps", "cpu")
    parser.add_argument("--device", choices=devices, help="default: CXR_DEVICE")
    return parser


def choose(
    films: Sequence[LabelledFilm], partition: str, classifier: Classifier, settings: Settings
) -> list[LabelledFilm]:
    """Take the films of a partition.

    Raises
    ------
    TrainingDataError
        If there are none, or if the training split cannot be made again from these films.
    """
    chosen = list(films)
    if partition == "validation":
        chosen = _validation(films, classifier, settings)
    elif partition != "all":
        chosen = [film for film in films if film.partition == partition]
    if not chosen:
        raise TrainingDataError(f"No film is in the partition {partition!r}.")
    return chosen


def _validation(
    films: Sequence[LabelledFilm], classifier: Classifier, settings: Settings
) -> list[LabelledFilm]:
    """Make the split of the training again, and check that it is the same."""
    description = classifier.description
    pixels = decode(films, description.input_spec.size, settings.data_dir / "cache")
    parts = split(films, pixel_digests(pixels), description.training_config["seed"])
    chosen = [films[index] for index in parts.validation]
    expected = description.data_summary["validation"]["patients"]
    if len({film.patient_id for film in chosen}) != expected:
        raise TrainingDataError(
            "These are not the films that the checkpoint was trained from, so its validation part "
            "cannot be found among them. Give the training data, or another --partition."
        )
    return chosen


def evaluate(classifier: Classifier, films: Sequence[LabelledFilm]) -> dict[str, Any]:
    """Measure a classifier on labelled films.

    Returns
    -------
    dict
        The report of the contract, and every operating point measured on these films.
    """
    measured: list[LabelledFilm] = []
    probabilities: list[list[float]] = []
    unreadable: list[LabelledFilm] = []
    rejected = 0
    for batch in _batches(_read_all(films, classifier)):
        unreadable += [read.film for read in batch if read.network_input is None]
        sound = [read for read in batch if read.network_input is not None]
        inputs = [read.network_input for read in sound if read.network_input is not None]
        for read, prediction in zip(sound, classifier.predict(inputs), strict=True):
            measured.append(read.film)
            rejected += read.rejected
            probabilities.append(_row(prediction))
    if not measured:
        raise TrainingDataError("None of the films could be read.")
    table = np.array(probabilities)
    points = classifier.operating_points
    report = measure(table, measured, points["balanced"].threshold)
    report["model_version"] = classifier.model_version
    report["rejected"] = rejected
    report["failed"] = len(unreadable)
    report["failed_films"] = [str(film.path) for film in unreadable]
    sensitive = measure(table, measured, points["high_sensitivity"].threshold)
    names = ("threshold", "accuracy", "sensitivity", "specificity", "ppv", "f1")
    report["high_sensitivity"] = {name: sensitive[name] for name in names}
    return report


def _row(prediction: Prediction) -> list[float]:
    """Put a prediction into the columns normal, bacterial, viral; NaN where causes are unknown."""
    causes = (prediction.bacterial_probability, prediction.viral_probability)
    told = [math.nan if cause is None else cause for cause in causes]
    return [1 - prediction.pneumonia_probability, *told]


def _read_all(films: Sequence[LabelledFilm], classifier: Classifier) -> Iterator[Read]:
    """Read films in their order, a few ahead."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for start in tqdm(range(0, len(films), BATCH), unit="batch", disable=None):
            part = films[start : start + BATCH]
            yield from pool.map(lambda film: _read(film, classifier), part)


def _read(film: LabelledFilm, classifier: Classifier) -> Read:
    """Read one film, and see what screening would say."""
    try:
        radiograph = read_radiograph(film.path.read_bytes())
    except (FilmError, OSError):
        return Read(film, None, rejected=False)
    rejected = screening.screen(radiograph) is not None
    return Read(film, classifier.prepare(radiograph.image), rejected)


def _batches(reads: Iterator[Read]) -> Iterator[list[Read]]:
    """Gather reads for one forward pass each."""
    batch: list[Read] = []
    for read in reads:
        batch.append(read)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


if __name__ == "__main__":
    sys.exit(main())
