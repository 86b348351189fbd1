"""Explore a labelled data set: read its films, and write the page and the JSON file."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from cxr_app.errors import TrainingDataError
from training.command_line.output_path import prepare_output
from training.data.dataset import find_films
from training.measure.judge import acquire
from training.report.dataset_report import describe, render


class ExploreOptions(Namespace):
    """Options of `training.explore`, whose help describes them."""

    data: Path
    out: Path
    json: Path | None
    seed: int


def write_exploration(options: ExploreOptions) -> dict[str, Any]:
    """Write the page, and the JSON file if one is named; return its counts.

    Raises
    ------
    TrainingDataError
        If none of the films can be read.
    """
    for path in filter(None, (options.out, options.json)):
        prepare_output(path)
    films = find_films(options.data)
    acquired = acquire(films, seed=options.seed)
    if not acquired.films:
        raise TrainingDataError("None of the films could be read.")
    described = describe(acquired, unreadable=len(films) - len(acquired.films))
    page = render(described, acquired, title=options.data.resolve().name, seed=options.seed)
    options.out.write_text(page, encoding="utf-8")
    if options.json:
        text = json.dumps(described, indent=1, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return described


def summary(described: dict[str, Any], out: Path) -> str:
    """Return the most important counts as text for a terminal."""
    lines = [
        f"{described['n']} films of {described['n_patients']} patients: "
        f"{described['n_normal']} normal, {described['n_pneumonia']} with pneumonia.",
        f"{len(described['groups'])} acquisition groups, "
        f"{len(described['duplicates'])} sets of identical films.",
        *(f"Only one class: {name}." for name in described["one_class_groups"]),
        f"The page is {out}.",
    ]
    return "\n".join(lines)
