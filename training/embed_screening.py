"""Add the network that recognises frontal chest films to a checkpoint.

    python -m training.embed_screening CHECKPOINT [--screening FILE] [--out FILE]

A checkpoint without it screens only by header and by simple properties of the pixels. The weights
of the pneumonia network are unchanged; the file, and with it the model version, changes. Its scores
of films (``<stem>.scores.json`` beside it) are kept.
"""

import argparse
import sys
from pathlib import Path

from cxr_app.errors import CxrError
from training.fit.export import SCREENING
from training.view_network.embedding import embed_view_network


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for files that cannot be used."""
    options = _parser().parse_args(arguments)
    out = options.out or options.checkpoint
    try:
        version = embed_view_network(options.checkpoint, options.screening, out)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{out} is now {version}.")
    return 0


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
