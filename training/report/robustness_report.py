"""Measure a checkpoint by acquisition group, look and shift, and write the figures."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from cxr_app.errors import TrainingDataError
from cxr_app.model.classifier import Classifier
from cxr_app.settings import Settings
from training.command_line.output_path import prepare_output
from training.data.dataset import find_films
from training.data.outlines import read_masks
from training.measure.judge import acquire, judge
from training.measure.lung_overlap import lung_overlap
from training.measure.predictions import score_films
from training.report.partitions import films_of_partition


class RobustnessOptions(Namespace):
    """Options of `training.robustness`, whose help describes them."""

    data: Path
    checkpoint: Path | None
    json: Path | None
    outlines: Path | None
    partition: str
    device: str | None
    films: int
    seed: int


def write_robustness(options: RobustnessOptions, settings: Settings) -> dict[str, Any]:
    """Return the figures, and write them to the JSON file if one is named.

    Raises
    ------
    TrainingDataError
        If fewer than 2 films are to be re-rendered and shifted, or the outlines cannot be read.
    """
    if options.json:
        prepare_output(options.json)
    if options.films < 2:
        raise TrainingDataError(f"--films is {options.films}; give at least 2.")
    outlines = read_masks(options.outlines) if options.outlines else None
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
    if outlines is not None:
        found["lungs"] = lung_overlap(classifier, chosen, outlines, acquired.group_of())
    if options.json:
        text = json.dumps(found, indent=1, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return found
