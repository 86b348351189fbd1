"""Write one page about a labelled data set, before anything is trained on it.

    python -m training.explore DIR [--out explore.html] [--json explore.json]

The page needs nothing else and names no file: counts by class, cause, patient and partition, sizes
and aspect ratios, tone curves, acquisition groups by class with those that have one class only,
identical films, and examples of each class and group. The JSON file also names identical films.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cxr_app import log_privacy
from cxr_app.errors import CxrError, TrainingDataError
from training.command_line.output_path import prepare_output
from training.data.dataset import find_films
from training.measure.judge import acquire
from training.report.dataset_report import describe, render


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        described = _run(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(_summary(described, options.out))
    return 1 if described["unreadable"] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.explore", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="Kaggle-layout folder or manifest")
    parser.add_argument("--out", type=Path, default=Path("explore.html"), help="the page to write")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    parser.add_argument("--seed", type=int, default=0, help="of groups and examples")
    return parser


def _run(options: argparse.Namespace) -> dict[str, Any]:
    """Read the films, and write the page."""
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


def _summary(described: dict[str, Any], out: Path) -> str:
    """Return what a terminal shows."""
    lines = [
        f"{described['n']} films of {described['n_patients']} patients: "
        f"{described['n_normal']} normal, {described['n_pneumonia']} with pneumonia.",
        f"{len(described['groups'])} acquisition groups, "
        f"{len(described['duplicates'])} sets of identical films.",
        *(f"Only one class: {name}." for name in described["one_class_groups"]),
        f"The page is {out}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
