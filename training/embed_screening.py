"""Put the network that tells a frontal chest film from everything else into a checkpoint.

    python -m training.embed_screening CHECKPOINT [--screening FILE] [--out FILE]

A checkpoint without it screens by header and by plain properties of the pixels alone. The weights
that look for pneumonia stay as they are; the file, and with it the model version, changes.
"""

import argparse
import sys
from pathlib import Path

from cxr_app import checkpoint
from cxr_app.errors import CxrError
from cxr_app.settings import PROJECT

SCREENING = PROJECT / "weights" / "screening.safetensors"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for files that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        source = checkpoint.load(options.checkpoint)
        weights, description = checkpoint.with_screening(
            source.weights, source.description, options.screening
        )
        sha256 = checkpoint.save(options.out or options.checkpoint, weights, description)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.out or options.checkpoint} is {description.name}-{sha256[:8]} now.")
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
