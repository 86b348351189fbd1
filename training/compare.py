"""Compare runs in one table: the ancestors and ours, each beside what its author reported.

    python -m training.compare RUN_DIR... [--data DIR] [--out FOLDER]

The figures are those of each run's own validation films, which nothing was fitted or chosen on;
with ``--data``, every checkpoint is measured again on the films there. Both at the *balanced*
operating point, with 95 % intervals by drawing patients. FOLDER, by default the current one, gets
``comparison.csv`` and ``comparison.md``.
"""

import argparse
import sys
from pathlib import Path

from cxr_app.errors import CxrError
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.report.run_table import as_markdown, measured_again, read_run, write_tables


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 unusable runs, usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        runs = [read_run(folder) for folder in options.runs]
        if options.data is not None:
            runs = measured_again(runs, options.data, options.device or Settings.read().device)
        text = as_markdown(runs, options.data)
        write_tables(options.out, runs, text)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="of training.train")
    parser.add_argument("--data", type=Path, help="labelled films to measure every checkpoint on")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the two tables")
    add_device_option(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
