"""How a batch run begins: scoring processes import while this one does.

Importing this file imports none of what either needs.
"""

import gc
from argparse import ArgumentParser

from training.backlog.batch_options import BatchOptions
from training.backlog.engines import imports_ahead


def begun(parser: ArgumentParser, arguments: list[str] | None = None) -> BatchOptions:
    """Return the options, with the imports of scoring processes under way.

    Parameters
    ----------
    arguments
        Of the command; those of this process by default.
    """
    options = parser.parse_args(arguments, BatchOptions())
    if options.engine == "local" and options.workers != 0:
        imports_ahead.begin()
    return options


def run(options: BatchOptions) -> int:
    """Run a batch, and return the exit status."""
    gc.disable()  # imports leave no garbage, and looking for it takes a fifth of their time
    # Not before: both import the same at the same time, which takes seconds.
    from training.backlog.batch_run import run_batch

    gc.enable()
    return run_batch(options)
