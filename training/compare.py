"""Compare runs in one table: the ancestors and ours, each beside what its author reported.

    python -m training.compare RUN_DIR... [--data DIR] [--out FOLDER]

The figures are those of each run's own validation films, on which nothing was fitted or chosen;
with ``--data`` every checkpoint is measured anew on the films there. Either way at its *balanced*
operating point, with 95 % intervals by drawing patients. FOLDER, here by default, gets
``comparison.csv`` and ``comparison.md``.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cxr_app.errors import CxrError, SettingsError
from cxr_app.model import networks
from cxr_app.model.classifier import Classifier
from cxr_app.settings import Settings
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
        Its ``RUN_DIR``.
    recipe
        Its name.
    parameters
        Weights of its network.
    seconds, device
        How long it trained, and on what; the device is empty where an old run does not say.
    validation
        The films it was measured on, as its ``split.csv`` names them.
    figures
        By the names of the contract, with their intervals.
    """

    folder: Path
    recipe: str
    parameters: int
    seconds: float
    device: str
    validation: frozenset[str]
    figures: dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for runs, usage or settings that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        runs = [read_run(folder) for folder in options.runs]
        if options.data is not None:
            runs = _measured_anew(runs, options.data, options.device or Settings.read().device)
        text = as_markdown(runs, options.data)
        _write(options.out, runs, text)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="of training.train")
    parser.add_argument("--data", type=Path, help="labelled films to measure every checkpoint on")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the two tables")
    devices = ("auto", "cuda", "mps", "cpu")
    parser.add_argument("--device", choices=devices, help="default: CXR_DEVICE")
    return parser


def read_run(folder: Path) -> FinishedRun:
    """Read what a run wrote down.

    Raises
    ------
    SettingsError
        If there is no finished run.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise SettingsError(
            f"{folder} holds no finished run: {', '.join(missing)} is not there. "
            "Give the --out of a training.train that has ended."
        )
    run, metrics, epochs, split = ((folder / name).read_text(encoding="utf-8") for name in FILES)
    recipe, figures = json.loads(run)["recipe"], json.loads(metrics)
    lines = [json.loads(line) for line in epochs.splitlines()]
    counted = figures.get("parameters") or parameters_of(networks.build(recipe["architecture"]))
    return FinishedRun(
        folder=folder,
        recipe=recipe["name"],
        parameters=counted,
        seconds=sum(line["seconds"] for line in lines),
        device=lines[-1].get("device", ""),
        validation=frozenset(
            row["path"]
            for row in csv.DictReader(split.splitlines())
            if row["partition"] == "validation"
        ),
        figures=figures,
    )


def _measured_anew(runs: Sequence[FinishedRun], data: Path, device: str) -> list[FinishedRun]:
    """Let every checkpoint read the same films."""
    films = find_films(data)
    anew = []
    for run in runs:
        classifier = Classifier.load(run.folder / "checkpoint.safetensors", device)
        anew.append(replace(run, figures=evaluate_classifier(classifier, films)))
    return anew


def as_markdown(runs: Sequence[FinishedRun], data: Path | None) -> str:
    """Put runs into a table that people read, with what must be known beside it."""
    heads = ["recipe", "parameters", "training", *FIGURES.values()]
    lines = [_line(heads), _line(["---"] * len(heads))]
    lines += [_line(_cells(run)) for run in runs]
    return "\n".join([*lines, "", *_notes(runs, data)]) + "\n"


def _cells(run: FinishedRun) -> list[str]:
    """Put one run into words."""
    reported = published(run.recipe)
    told = [
        run.recipe,
        f"{run.parameters:,}",
        f"{_duration(run.seconds)}, {run.device}".strip(", "),
    ]
    return told + [_cell(run.figures, name, reported.get(name)) for name in FIGURES]


def _cell(figures: dict[str, Any], name: str, reported: float | None) -> str:
    """Say a figure, its interval and what the author reported."""
    value, interval = figures.get(name), figures.get(f"{name}_ci95")
    words = "not told" if value is None else f"{value:.3f}"
    if value is not None and interval and None not in interval:
        words += f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return words if reported is None else f"{words}; author {reported:.3f}"


def _notes(runs: Sequence[FinishedRun], data: Path | None) -> list[str]:
    """Say what the figures were measured on, and what they do not allow to be said."""
    sizes = sorted({(run.figures["n"], run.figures["n_patients"]) for run in runs})
    told = " or ".join(f"{films} films of {patients} patients" for films, patients in sizes)
    where = "the labelled films given" if data else "each run's own validation films"
    notes = [
        f"Measured on {where} ({told}) at the balanced operating point; in brackets the 95 % "
        "interval by drawing patients.",
        "An author's figure was measured by that author, on other films and at another threshold.",
    ]
    if not data and len({run.validation for run in runs}) > 1:
        notes.append(
            "These runs were not measured on the same films, which may be part of a difference."
        )
    return notes


def _duration(seconds: float) -> str:
    """Say how long something took."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _line(cells: Sequence[str]) -> str:
    """Write one row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _write(folder: Path, runs: Sequence[FinishedRun], text: str) -> None:
    """Save the table twice: for people and for programs."""
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
    """Put one run into the columns of the CSV; empty where nothing can be told."""
    reported = published(run.recipe)
    row: list[Any] = [run.recipe, run.folder, run.parameters, round(run.seconds, 1), run.device]
    for name in FIGURES:
        low, high = run.figures.get(f"{name}_ci95") or (None, None)
        row += [run.figures.get(name), low, high, reported.get(name)]
    return row


if __name__ == "__main__":
    sys.exit(main())
