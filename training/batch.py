"""Score a folder of backlog films.

    python -m training.batch FOLDER --out results.csv [--no-worklist]

Films are found at any depth by their content. The same command again goes on where it stopped.
Exit status: 0 all done, 1 done but some files FAILED, 2 usage or settings.
"""

import argparse
import logging
import os
import sys
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from cxr_app.classifier import Classifier
from cxr_app.errors import CxrError, SettingsError
from cxr_app.outcome import ScoringState
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training import backlog


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        counts = run(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    states = [f"{counts[state.value]} {state.value}" for state in ScoringState]
    print(f"{counts['files']} files: {', '.join(states)}; {counts['flagged']} flagged.")
    if counts["earlier"]:
        print(f"{counts['earlier']} files were in {options.out} from an earlier run.")
    return 1 if counts[ScoringState.FAILED.value] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.batch", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the films are")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    devices = ("auto", "cuda", "mps", "cpu")
    parser.add_argument("--device", choices=devices, help="default: CXR_DEVICE")
    parser.add_argument(
        "--worklist",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also enter the films into the worklist (the default)",
    )
    return parser


def run(options: argparse.Namespace) -> Counter[str]:
    """Score what is not done yet, and count what became of it.

    Raises
    ------
    SettingsError
        If the folder or the results file cannot be used.
    """
    folder: Path = options.folder
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder. Give the folder that holds the films.")
    settings = Settings.read()
    checkpoint = options.checkpoint or settings.checkpoint
    scorer = Scorer(Classifier.load(checkpoint, options.device or settings.device))
    try:
        results = backlog.Results(options.out, scorer.classifier.model_version)
    except OSError as error:
        raise SettingsError(f"{options.out} cannot be written: {error.strerror}.") from error
    worklist = Worklist.open(settings.worklist_url) if options.worklist else None
    try:
        return _score(folder, scorer, results, worklist)
    finally:
        results.close()
        if worklist is not None:
            worklist.close()


def _score(
    folder: Path, scorer: Scorer, results: backlog.Results, worklist: Worklist | None
) -> Counter[str]:
    """Go through the folder."""
    found = list(backlog.find_films(folder))
    left = [film for film in found if film.source not in results.done]
    counts = Counter(files=len(left), earlier=len(found) - len(left), flagged=0)
    progress = tqdm(
        backlog.score(left, scorer, workers=os.cpu_count() or 1),
        total=len(left),
        unit="film",
        disable=None,  # no bar where nobody looks
    )
    for scored in progress:
        if worklist is not None:
            backlog.enter(worklist, scored)
        results.write(scored)
        counts[scored.outcome.state.value] += 1
        counts["flagged"] += bool(scored.outcome.flagged)
        progress.set_postfix(flagged=counts["flagged"], refresh=False)
    return counts


if __name__ == "__main__":
    sys.exit(main())
