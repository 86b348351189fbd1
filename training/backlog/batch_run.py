"""A batch run as its command does it: what it prints, and its exit status."""

import logging
import sys

from tqdm.contrib.logging import logging_redirect_tqdm

from cxr_app.errors import CxrError
from training.backlog.backlog_scoring import score_backlog
from training.backlog.batch_options import BatchOptions
from training.backlog.run_progress import BatchProgress
from training.command_line.progress_file import begin_progress

STOPPED = 130
"""Exit status of a run that was stopped half-way, as shells use it."""


def run_batch(options: BatchOptions) -> int:
    """Score the films that are due, print what happened, and return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        begin_progress(options.progress)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    progress = BatchProgress(options.progress)
    try:
        with logging_redirect_tqdm():
            status = score_backlog(options, progress)
    except KeyboardInterrupt:
        status = STOPPED
    except CxrError as error:
        if options.progress is None:  # else it is written there; a log holds no file's name
            print(error, file=sys.stderr)
        progress.end(2, str(error))
        return 2
    print(progress.summary(options.out))
    if status == STOPPED:
        print("Stopped before the end. The same command continues here.", file=sys.stderr)
    else:
        progress.end(status)
    return status
