"""Put the network that tells a frontal chest film from everything else into a checkpoint.

    python -m training.embed_screening CHECKPOINT [--screening FILE] [--out FILE]

A checkpoint without it screens by header and by plain properties of the pixels alone. The weights
that look for pneumonia stay as they are; the file, and with it the model version, changes. What it
says of films (``<stem>.scores.json`` beside it) goes along.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from cxr_app.errors import CxrError, ScoresError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.model import checkpoint
from training.fit.export import SCREENING


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for files that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        source = checkpoint.load(options.checkpoint)
        weights, description = checkpoint.with_screening(
            source.weights, source.description, options.screening
        )
        out = options.out or options.checkpoint
        scores = _scores(options.checkpoint, source.model_version)
        version = f"{description.name}-{checkpoint.save(out, weights, description)[:8]}"
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    if scores:
        reference_scores.write(
            reference_scores.scores_path(out), replace(scores, model_version=version)
        )
    print(f"{out} is {version} now.")
    return 0


def _scores(path: Path, model_version: str) -> FilmScores | None:
    """Read what the checkpoint says of films, which stays true; None where that is not known."""
    try:
        return reference_scores.read(reference_scores.scores_path(path), model_version)
    except ScoresError:
        return None


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.embed_screening",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument(
        "--screening", type=Path, default=SCREENING, help="default: the shipped one"
    )
    parser.add_argument("--out", type=Path, help="default: the checkpoint itself is replaced")
    return parser


if __name__ == "__main__":
    sys.exit(main())
