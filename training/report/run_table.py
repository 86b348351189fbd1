"""Finished runs in one table: each network beside what its author reported.

The figures are those at the *balanced* operating point, with 95 % intervals by drawing patients.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cxr_app.errors import SettingsError
from cxr_app.model import networks
from cxr_app.model.classifier import Classifier
from training.data.dataset import find_films
from training.fit.epochs import parameters_of
from training.fit.recipe import published
from training.measure.figures import evaluate_classifier

FIGURES = {
    "auroc": "AUROC",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "precision",
    "f1": "F1",
    "ece": "ECE",
    "bacterial_vs_viral_auroc": "bacterial versus viral, AUROC",
}
FILES = ("run.json", "metrics.json", "epochs.jsonl", "split.csv")


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run.

    Parameters
    ----------
    folder
        The ``RUN_DIR``.
    recipe
        Name of the recipe.
    parameters
        Number of weights.
    seconds, device
        Duration of the training, and where; the device is empty in runs of old versions.
    validation
        The films it was measured on, by their names in ``split.csv``.
    figures
        Figures and intervals by the names of the contract.
    """

    folder: Path
    recipe: str
    parameters: int
    seconds: float
    device: str
    validation: frozenset[str]
    figures: dict[str, Any]


def read_run(folder: Path) -> FinishedRun:
    """Read the files of a run.

    Raises
    ------
    SettingsError
        If the folder holds no finished run.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise SettingsError(
            f"{folder} holds no finished run: {', '.join(missing)} is missing. "
            "Give the --out of a training.train that has ended."
        )
    run, metrics, epochs, split = ((folder / name).read_text(encoding="utf-8") for name in FILES)
    recipe, figures = json.loads(run)["recipe"], json.loads(metrics)
    records = [json.loads(line) for line in epochs.splitlines()]
    parameters = figures.get("parameters") or parameters_of(networks.build(recipe["architecture"]))
    return FinishedRun(
        folder=folder,
        recipe=recipe["name"],
        parameters=parameters,
        seconds=sum(record["seconds"] for record in records),
        device=records[-1].get("device", ""),
        validation=frozenset(
            row["path"]
            for row in csv.DictReader(split.splitlines())
            if row["partition"] == "validation"
        ),
        figures=figures,
    )


def measured_again(runs: Sequence[FinishedRun], data: Path, device: str) -> list[FinishedRun]:
    """Measure the checkpoints of all runs on the same films."""
    films = find_films(data)
    checkpoints = [run.folder / "checkpoint.safetensors" for run in runs]
    classifiers = [Classifier.load(path, device) for path in checkpoints]
    return [
        replace(run, figures=evaluate_classifier(classifier, films))
        for run, classifier in zip(runs, classifiers, strict=True)
    ]


def as_markdown(runs: Sequence[FinishedRun], data: Path | None) -> str:
    """Return a Markdown table of the runs, with notes on what was measured."""
    heads = ["recipe", "parameters", "training", *FIGURES.values()]
    lines = [_line(heads), _line(["---"] * len(heads))]
    lines += [_line(_cells(run)) for run in runs]
    return "\n".join([*lines, "", *_notes(runs, data)]) + "\n"


def _cells(run: FinishedRun) -> list[str]:
    """Return the cells of one run."""
    reported = published(run.recipe)
    first = [
        run.recipe,
        f"{run.parameters:,}",
        f"{_duration(run.seconds)}, {run.device}".strip(", "),
    ]
    return first + [_cell(run.figures, name, reported.get(name)) for name in FIGURES]


def _cell(figures: dict[str, Any], name: str, reported: float | None) -> str:
    """Return a figure, its interval and what the author reported."""
    value, interval = figures.get(name), figures.get(f"{name}_ci95")
    text = "unknown" if value is None else f"{value:.3f}"
    if value is not None and interval and None not in interval:
        text += f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return text if reported is None else f"{text}; author {reported:.3f}"


def _notes(runs: Sequence[FinishedRun], data: Path | None) -> list[str]:
    """Return notes on what the figures were measured on, and on their limits."""
    sizes = sorted({(run.figures["n"], run.figures["n_patients"]) for run in runs})
    counts = " or ".join(f"{films} films of {patients} patients" for films, patients in sizes)
    source = "the labelled films given" if data else "each run's own validation films"
    notes = [
        f"Measured on {source} ({counts}) at the balanced operating point; in brackets the 95 % "
        "interval by drawing patients.",
        "An author's figure was measured by that author, on other films and at another threshold.",
    ]
    if not data and len({run.validation for run in runs}) > 1:
        notes.append(
            "These runs were not measured on the same films, which may be part of a difference."
        )
    return notes


def _duration(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _line(cells: Sequence[str]) -> str:
    """Return one row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def write_tables(folder: Path, runs: Sequence[FinishedRun], text: str) -> None:
    """Write ``comparison.md`` and ``comparison.csv``."""
    columns = [f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high", "_published")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "comparison.md").write_text(text, encoding="utf-8")
        with (folder / "comparison.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["recipe", "run", "parameters", "training_seconds", "device", *columns])
            writer.writerows(_row(run) for run in runs)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error.strerror}.") from error


def _row(run: FinishedRun) -> list[Any]:
    """Return the columns of one run; empty if a figure is undefined."""
    reported = published(run.recipe)
    row: list[Any] = [run.recipe, run.folder, run.parameters, round(run.seconds, 1), run.device]
    for name in FIGURES:
        low, high = run.figures.get(f"{name}_ci95") or (None, None)
        row += [run.figures.get(name), low, high, reported.get(name)]
    return row
