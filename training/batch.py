"""Score a backlog of films, from a folder or from an archive.

    python -m training.batch FOLDER --out results.csv [--no-worklist] [--watch] [--limit N]
    python -m training.batch --from-pacs 'StudyDate=20261101-20261126 Modality=DX' --out results.csv

Films of a folder are found at any depth by their content; those of the archive that CXR_FILMS_FROM
names, by a search. The same command again continues where it stopped.
Exit status: 0 all done, 1 done but some files FAILED, 2 usage or settings; 130 stopped half-way.
"""

import argparse
import gc
import signal
import sys
from pathlib import Path

from cxr_app import log_privacy
from training.backlog.batch_start import begun, run
from training.backlog.engines import ENGINES
from training.command_line.device_option import add_device_option
from training.command_line.number_types import whole_number


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return run(begun(_parser(), arguments))


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.batch", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("folder", type=Path, nargs="?", metavar="FOLDER", help="where the films are")
    add(
        "--from-pacs",
        metavar="QUERY",
        help="fetch the films from the archive that CXR_FILMS_FROM names: KEYWORD=VALUE ...",
    )
    add("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="default: the model in use; with --no-worklist CXR_CHECKPOINT",
    )
    add_device_option(parser)
    add("--engine", choices=sorted(ENGINES), default="local", help="default: local")
    add(
        "--workers",
        type=whole_number(0, 1024),
        metavar="N",
        help="processes that read and score; 0: only this one; default: one a core",
    )
    add(
        "--batch-size",
        type=whole_number(1, 256),
        metavar="N",
        help="films in one forward pass; default: 8 on a CPU (ray: 16), 32 on a GPU",
    )
    add("--limit", type=whole_number(0, 10**9), metavar="N", help="stop after N more films")
    add("--watch", action="store_true", help="keep running and score what arrives; Ctrl-C ends it")
    add("--retry-failed", action="store_true", help="try again what FAILED in an earlier run")
    add(
        "--within",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="do not follow a link to a film outside DIR; may be given several times",
    )
    add("--progress", type=Path, metavar="FILE", help="write the progress to this JSON file")
    add(
        "--worklist",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also enter the films into the worklist (the default)",
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as with Ctrl-C
    options = begun(_parser())
    log_privacy.hide_messages()
    status = run(options)
    gc.freeze()  # else the interpreter looks through everything once more before it ends
    sys.exit(status)
